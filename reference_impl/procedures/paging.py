"""A page by limit and offset with the total behind it, both of one state of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reference_impl.data.database import Row, Statement, Transaction

if TYPE_CHECKING:
    from collections.abc import Sequence


class Slice(NamedTuple):
    """Where a page begins and how long it is."""

    limit: int
    offset: int


def page(
    columns: str, source: str, order: str, values: Sequence[Any], part: Slice
) -> Transaction[tuple[list[Row], int]]:
    """Return the rows of a page and the total; the texts are constants, `source` is FROM and WHERE."""
    rows = yield Statement(f"SELECT {columns} {source} ORDER BY {order} LIMIT ? OFFSET ?", (*values, *part))
    count = yield Statement(f"SELECT COUNT(*) {source}", tuple(values))
    return rows, count[0][0]
