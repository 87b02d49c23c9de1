"""The Locust side of load: what runs in the subprocess, and the plain values that its parent shares.

Only `alarm`, `client`, `user` and `generic` import gevent or Locust, and no module that the parent imports imports them.
"""
