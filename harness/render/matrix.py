"""The matrix of operations by promises as table cells, small enough for 500 operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from harness.render import summary
from harness.render.text import clipped, printable
from harness.verdict import Status

if TYPE_CHECKING:
    from harness.finding import Finding
    from harness.report import Report
    from harness.verdict import Verdict

TITLE_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One operation of the matrix; `quiet` where nothing is broken or untold."""

    place: str
    cells: tuple[Markup, ...]
    quiet: bool


@dataclass(frozen=True, slots=True)
class Matrix:
    """Operations by promises."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    quiet: int


def anchor(finding: Finding) -> str:
    """The id of a finding's element in the page."""
    return f"f-{finding.fingerprint}"


def matrix(report: Report) -> Matrix:
    """Every operation of the contract against every promise of which there is a verdict."""
    columns, cells = summary.promises(report), summary.by_place(report)
    rows = []
    for operation, place in summary.rows(report):
        own = [cells.get((operation, promise)) for promise in columns]
        quiet = all(cell is None or (cell.status is Status.PASS) for cell in own)
        rows.append(Row(place, tuple(_cell(cell) for cell in own), quiet))
    return Matrix(columns, tuple(rows), sum(row.quiet for row in rows))


def _cell(verdict: Verdict | None) -> Markup:
    if verdict is None:
        return Markup("<td></td>")
    if verdict.status is Status.PASS:
        return Markup('<td class="p">{}</td>').format(verdict.examined)
    if verdict.status is Status.FAIL:
        first = verdict.findings[0]
        return Markup('<td class="f" title="{}"><a href="#{}">{}</a></td>').format(
            printable(clipped(first.title, TITLE_LIMIT)), anchor(first), len(verdict.findings)
        )
    reason = printable(clipped(summary.reason_of(verdict), TITLE_LIMIT))
    return Markup('<td class="i" title="{}">{}</td>').format(reason, verdict.examined)
