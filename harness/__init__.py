"""Verifies a running HTTP API against its contract and the promises it makes beyond shapes."""

__version__ = "0.1.0"
