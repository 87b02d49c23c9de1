"""One cell of the authorization matrix: what an identity was promised at an operation, and what it got."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LET_IN = "in"


class CellState(StrEnum):
    """UNKNOWN is what was not tried, or what was answered in a way that tells nothing."""

    HELD = "held"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cell:
    """`identity` is the column. `expected` is `in`, or the status of a refusal; `seen` the status that came.

    `reason` says why nothing is known, or what is wrong.
    """

    identity: str
    expected: str
    seen: str = ""
    state: CellState = CellState.UNKNOWN
    reason: str = ""

    def to_record(self) -> dict[str, Any]:
        """The JSON object that stands in a verdict's record."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Cell:
        """The cell that `to_record` wrote."""
        return cls(**{**record, "state": CellState(record["state"])})


def joined(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """One cell a column, in the order of their first sight: a broken one before one that held, that before unknown."""
    weight = {CellState.BROKEN: 0, CellState.HELD: 1, CellState.UNKNOWN: 2}
    found: dict[str, Cell] = {}
    for cell in cells:
        known = found.get(cell.identity)
        if known is None or weight[cell.state] < weight[known.state]:
            found[cell.identity] = cell
    return tuple(found.values())
