"""The authorization matrix as table cells: who may call what, what was promised and what was seen, at a glance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from harness.cell import LET_IN, Access, Cell, CellState
from harness.render import summary
from harness.render.matrix import anchor
from harness.render.text import clipped, printable
from harness.verdict import authorization

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.report import Report

TITLE_LIMIT, NAMED = 200, 8
NOT_TRIED = "not tried, or another gate would have decided"
TITLES = {
    "roles": "Roles",
    "transports": "Over other transports",
    "owner": "Ownership",
    "tenant": "Tenants",
    "credentials": "Credentials that do not hold",
}
LETTERS = {CellState.BROKEN: "✗", CellState.UNKNOWN: "?"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One cell: its letter (A let in, R refused, ✗ otherwise than promised, ? unknown), what was seen, a word on it.

    `tone` is the cell's class in the page; `finding` the anchor of what is wrong.
    """

    letter: str
    seen: str
    tone: str
    title: str
    finding: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One operation; `quiet` where everything was as promised. A cell is None where nothing is promised."""

    place: str
    cells: tuple[Shown | None, ...]
    quiet: bool


def lines(report: Report) -> list[Line]:
    """Every operation of which a cell is known, in the order of the contract."""
    access, findings = authorization(report.verdicts), _findings(report)
    return [_line(access, operation, place, findings) for operation, place in _rows(report, access)]


def _rows(report: Report, access: Access) -> Iterator[tuple[str, str]]:
    yield from ((operation, place) for operation, place in summary.rows(report) if operation in access.rows)


def _line(access: Access, operation: str, place: str, findings: dict[tuple[str, str], str]) -> Line:
    row = access.rows[operation]
    cells = []
    for group, columns in access.groups.items():
        asked = any(name in row for name in columns)
        for column in columns:
            cell = row.get(column)
            if cell is None and asked and group == "roles" and column != "every role":
                cell = Cell(column, "", reason=NOT_TRIED)
            cells.append(_shown(cell, findings.get((operation, column), "")) if cell else None)
    quiet = all(cell is None or cell.letter in {"A", "R"} for cell in cells)
    return Line(place, tuple(cells), quiet)


def _shown(cell: Cell, finding: str) -> Shown:
    letter = LETTERS.get(cell.state) or ("A" if cell.expected == LET_IN else "R")
    tone = {"A": "a", "R": "r", "✗": "f", "?": "i"}[letter]
    promised = {LET_IN: "is let in", "": "is not told"}.get(cell.expected, f"gets {cell.expected}")
    words = [f"{cell.identity} {promised}", f"seen: {cell.seen}" if cell.seen else "not seen", cell.reason]
    return Shown(letter, cell.seen, tone, printable(clipped("; ".join(filter(None, words)), TITLE_LIMIT)), finding)


def _findings(report: Report) -> dict[tuple[str, str], str]:
    """The anchor of a finding by operation and column, which is its kind; of tenants any of its findings."""
    found: dict[tuple[str, str], str] = {}
    for finding in report.findings:
        column = "other tenant" if finding.code.startswith("tenant.") else finding.kind
        found.setdefault((finding.operation, column), anchor(finding))
        if finding.code.startswith("owner."):
            found.setdefault((finding.operation, "stranger"), anchor(finding))
    return found


def unknown(report: Report) -> list[tuple[str, str]]:
    """Why cells are unknown, each reason once, with the first operations and identities that it holds back."""
    columns = authorization(report.verdicts).columns
    held: dict[str, list[str]] = {}
    for line in lines(report):
        for column, cell in zip(columns, line.cells, strict=True):
            if cell is not None and cell.tone == "i":
                held.setdefault(cell.title.rpartition("; ")[2], []).append(f"{line.place} ({column})")
    return [
        (reason, ", ".join(places[:NAMED]) + (f" and {len(places) - NAMED} more" if len(places) > NAMED else ""))
        for reason, places in held.items()
    ]


def markup(shown: Shown | None) -> Markup:
    """The cell of the page's table."""
    if shown is None:
        return Markup("<td></td>")
    text = (
        Markup("<b>{}</b> {}").format(shown.letter, printable(shown.seen))
        if shown.seen
        else Markup("<b>{}</b>").format(shown.letter)
    )
    if shown.finding:
        text = Markup('<a href="#{}">{}</a>').format(shown.finding, text)
    if shown.letter in {"A", "R"}:  # its letter and its status say all; a page of 500 operations stays small
        return Markup('<td class="{}">{}</td>').format(shown.tone, text)
    return Markup('<td class="{}" title="{}">{}</td>').format(shown.tone, shown.title, text)


def sentence(report: Report) -> str:
    """How many cells there are and what is known of them."""
    every = [cell for line in lines(report) for cell in line.cells if cell is not None]
    counts = Counter(cell.tone for cell in every)
    table = authorization(report.verdicts)
    told = f"{counts['a'] + counts['r']:,} as promised, {counts['f']:,} otherwise, {counts['i']:,} unknown"
    return f"{len(table.rows)} operations × {len(table.columns)} identities: {told}."
