"""Pages of lists: by limit and offset with the total behind them, or numbered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from reference_impl.contract.fields import Count, Limit, Offset  # noqa: TC001 - msgspec reads annotations
from reference_impl.data.database import Row, Statement, Transaction

if TYPE_CHECKING:
    from collections.abc import Sequence


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
