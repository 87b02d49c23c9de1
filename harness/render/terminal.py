"""What a person sees when a run has ended: the verdict, the worst findings, what was not told, and where to go on."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, TextIO

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.finding import Confirmation
from harness.render import reach, reproduction, summary
from harness.render.outlet import PLAIN_WIDTH, Outlet
from harness.render.text import ascii_only, clipped, counted, one_line
from harness.verdict import Status

if TYPE_CHECKING:
    from rich.console import RenderableType

    from harness.finding import Finding
    from harness.report import Report

FINDINGS_SHOWN = 8
UNTOLD_SHOWN = 3
NARROW = 76
SEVERITY_WIDTH = 8
LEAST_WIDTH, MOST_WIDTH = 24, 140
TONES = {"pass": "bold white on green", "fail": "bold white on red", "unclear": "bold black on yellow"}
SEVERITIES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan"}


def show(report: Report, stream: TextIO, *, where: str = "") -> None:
    """Writes the closing summary to a terminal or a pipe; `where` is the run's folder as the reader would type it."""
    outlet = Outlet(stream)
    console = outlet.console()
    console.width = max(LEAST_WIDTH, min(console.width, MOST_WIDTH))
    console.print(_closing(report, where, console.width))
    outlet.flush()


def render(report: Report, *, where: str = "", width: int = PLAIN_WIDTH, unicode: bool = True) -> bytes:
    """The closing summary as plain text of at most `width` columns (24 at least), without colours, in UTF-8."""
    file = StringIO()
    wide = max(LEAST_WIDTH, width)
    console = Console(file=file, width=wide, color_system=None, highlight=False, markup=False, emoji=False, _environ={})
    console.print(_closing(report, where, wide))
    text = "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())
    return (text if unicode else ascii_only(text)).encode("utf-8", "backslashreplace")


def _closing(report: Report, where: str, width: int) -> Group:
    head = summary.headline(report)
    verdict = Text.assemble((f" {head.word} ", TONES[head.tone]), "  ", (one_line(head.sentence), "bold"))
    remarks = [Text(one_line(remark)) for remark in head.remarks]
    parts: list[RenderableType] = [Text(), verdict, *remarks]
    if report.counted:
        parts += [Text(), *_findings(report, width)]
    parts += [Text(), _facts(report, where)]
    return Group(*parts)


def _findings(report: Report, width: int) -> list[RenderableType]:
    """The worst finding of each class: a line for the fault, one for where it is and how to see it again."""
    places = summary.places(report)
    classes = summary.classes(report)
    parts: list[RenderableType] = []
    for finding, count in classes[:FINDINGS_SHOWN]:
        parts += _finding(finding, count, places.get(finding.operation, finding.operation), width)
    if len(classes) > FINDINGS_SHOWN:
        parts.append(Text(f"and {counted(len(classes) - FINDINGS_SHOWN, 'more class', 'more classes')} in the report"))
    return parts


def _finding(finding: Finding, count: int, place: str, width: int) -> list[RenderableType]:
    title = Text(clipped(one_line(finding.title), 160), style="bold")
    more = f" (and {count - 1:,} more of this class)" if count > 1 else ""
    once = "" if finding.confirmation is Confirmation.CONFIRMED else f" · {finding.confirmation}"
    detail = Text(f"{one_line(place) or summary.NO_OPERATION} · {one_line(finding.code)}{once}{more}")
    again = Text(reproduction.replay(finding), style="dim")
    severity = Text(finding.severity.value, style=SEVERITIES[finding.severity.value])
    if width < NARROW:
        return [Text.assemble(severity, " ", title), *(Padding(part, (0, 0, 0, 2)) for part in (detail, again))]
    table = Table.grid(padding=(0, 1))
    table.add_column(width=SEVERITY_WIDTH)
    table.add_column(overflow="fold")
    table.add_row(severity, title)
    if SEVERITY_WIDTH + 1 + detail.cell_len + 2 + again.cell_len <= width:
        table.add_row("", Text.assemble(detail, "  ", again))
    else:  # the command is copied from here: it stands whole on a line
        table.add_row("", detail)
        table.add_row("", again)
    return [table]


def _facts(report: Report, where: str) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, value in _lines(report, where):
        table.add_row(name, Text(one_line(value)))
    return table


def _lines(report: Report, where: str) -> list[tuple[str, str]]:
    held = sum(verdict.status is Status.PASS for verdict in report.verdicts)
    examined = sum(verdict.examined for verdict in report.verdicts)
    lines = []
    if report.verdicts:
        lines.append(("Promises", f"{held:,} of {len(report.verdicts):,} held, {counted(examined, 'observation')}"))
    reached = reach.sentence(report)
    if reached:
        lines.append(("Coverage", reached))
    worst = summary.worst_latency(report)
    if worst is not None and worst.p95_ms is not None:
        place = summary.places(report).get(worst.operation, worst.operation)
        against = "" if worst.objective_p95_ms is None else f", objective {worst.objective_p95_ms:g} ms"
        lines.append(("Latency", f"p95 {worst.p95_ms:.1f} ms{against} ({place})"))
    untold = summary.untold(report)
    lines += [
        (
            "Not told" if number == 0 else "",
            f"{item.promise}: {clipped(item.reason, 160)}{_count(len(item.operations))}",
        )
        for number, item in enumerate(untold[:UNTOLD_SHOWN])
    ]
    if len(untold) > UNTOLD_SHOWN:
        lines.append(("", f"and {counted(len(untold) - UNTOLD_SHOWN, 'more reason')} in the report"))
    if report.checklist:
        lines.append(("Checklist", summary.checklist_text(report)))
    code = "none yet" if report.exit_code is None else f"{int(report.exit_code)} ({report.meaning})"
    took = "" if report.seconds is None else f" after {summary.duration(report.seconds)}"
    lines.append(("Exit code", code + took))
    lines.append(("Again", summary.again(report)))
    if where:
        lines.append(("Report", f"{where.rstrip('/')}/report.html"))
    return lines


def _count(operations: int) -> str:
    return f" ({counted(operations, 'operation')})"
