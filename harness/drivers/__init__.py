"""Drivers send: each makes requests of its own kind, and everything it sends is in the history."""
