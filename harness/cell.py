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


GROUPS: Mapping[str, tuple[str, ...]] = {
    "roles": ("anonymous", "*", "every role"),
    "transports": ("*",),
    "owner": ("owner", "stranger"),
    "tenant": ("other tenant",),
    "credentials": ("garbage", "wrong scheme", "no scheme", "expired", "revoked", "barred", "wrong audience", "*"),
}


@dataclass(frozen=True, slots=True)
class Access:
    """The authorization matrix: columns by the promise that has them, and the cells of each operation by column."""

    groups: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, Mapping[str, Cell]]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column, in the order of the groups."""
        return tuple(column for columns in self.groups.values() for column in columns)

    def to_record(self) -> dict[str, Any]:
        """The JSON object of run.json."""
        return {
            "columns": {group: list(columns) for group, columns in self.groups.items()},
            "rows": {name: [cell.to_record() for cell in row.values()] for name, row in self.rows.items()},
        }


def access(told: Iterable[tuple[str, str, Iterable[Cell]]]) -> Access:
    """The matrix of what promises told: each a promise's key, an operation and its cells."""
    rows: dict[str, tuple[Cell, ...]] = {}
    seen: dict[str, list[str]] = {group: [] for group in GROUPS}
    for promise, operation, cells in told:
        for cell in cells:
            rows[operation] = joined((*rows.get(operation, ()), cell))
            named = next((group for group, names in GROUPS.items() if cell.identity in names), "")
            # A role that may beside the owner is a role's column, whoever told it.
            group = named or ("roles" if promise == "owner" else promise)
            if group in seen and cell.identity not in seen[group]:
                seen[group].append(cell.identity)
    groups = {group: _ordered(GROUPS[group], names) for group, names in seen.items() if names}
    return Access(groups, {name: {cell.identity: cell for cell in cells} for name, cells in rows.items()})


def _ordered(known: tuple[str, ...], names: list[str]) -> tuple[str, ...]:
    others = [name for name in names if name not in known]
    found: list[str] = []
    for name in known:
        found += others if name == "*" else [name] if name in names else []
    return tuple(found)
