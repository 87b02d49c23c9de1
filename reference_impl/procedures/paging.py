"""Pages of lists: by limit and offset with the total behind them, or numbered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from reference_impl.contract.fields import Count, Limit, Offset  # noqa: TC001 - msgspec reads annotations
from reference_impl.data.database import Row, Statement, Transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

_BOUNDS: dict[str, Any] = {"bounds": {"min": 1, "max": 100, "default": 20}, "past": "empty", "refused": [400]}
NUMBERED: dict[str, Any] = {
    "style": "page",
    "parameters": {"page": "page", "limit": "limit"},
    "members": {"items": "/items", "total": "/total", "pages": "/pages"},
    **_BOUNDS,
}
"""What a list of numbered pages promises."""
BY_OFFSET: dict[str, Any] = {
    "style": "offset",
    "parameters": {"offset": "offset", "limit": "limit"},
    "members": {"items": "/data", "total": "/pagination/total"},
    **_BOUNDS,
}
"""What a list by limit and offset promises."""
NEWEST_FIRST: dict[str, Any] = {
    "keys": {"createdAt": "/createdAt"},
    "default": {"key": "createdAt", "direction": "descending"},
}
"""The one order of a list that has no parameter for it."""


class Pagination(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Where a page stands in the whole list."""

    total: Count
    limit: Limit
    offset: Offset


class Slice(NamedTuple):
    """Where a page begins and how long it is."""

    limit: int
    offset: int


def page(
    columns: str, source: str, order: str, values: Sequence[Any], part: Slice
) -> Transaction[tuple[list[Row], int]]:
    """Return the rows of a page and the total, both of one state; texts are constants, `source` is FROM and WHERE."""
    rows = yield Statement(f"SELECT {columns} {source} ORDER BY {order} LIMIT ? OFFSET ?", (*values, *part))
    count = yield Statement(f"SELECT COUNT(*) {source}", tuple(values))
    return rows, count[0][0]


def pages_of(total: int, limit: int) -> int:
    """Return how many pages a total makes."""
    return -(-total // limit)
