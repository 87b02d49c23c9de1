"""One item a promise and operation of the contract; `pytest -k roles-` or `-k products.create` selects some."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.drivers.pytest_plugin import Held


def test_promise(api_promise: Held) -> None:
    """The API keeps this promise for this operation."""
    api_promise.hold()
