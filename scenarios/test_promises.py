"""Every promise × operation of the stack's contract, an item each."""

from harness.suite.test_promises import test_promise

__all__ = ["test_promise"]
