"""The Locust side of load: what runs in the subprocess, and the plain values that its parent shares.

Only `alarm`, `client`, `open_loop`, `user` and `generic` import gevent or Locust; nothing that the parent imports does.
"""
