"""summary.md: what a CI job shows of a run, in GitHub's Markdown; text of a target is escaped, code is fenced."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from harness.codes import CODES, references
from harness.render import access, reach, reproduction, summary
from harness.render.text import clipped, counted, one_line, printable
from harness.verdict import authorization

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.finding import Finding
    from harness.report import OperationLatency, Report

DETAILED = 20
LISTED = 200
UNTOLD_LISTED = 20
CELL_LIMIT = 160
TEXT_LIMIT = 600
_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~!@$])")
NONE: Mapping[str, str] = MappingProxyType({})
SIGNS = {"pass": "✅", "fail": "❌", "error": "❌"}


def render(report: Report, tests: Mapping[str, str] = NONE) -> bytes:
    """The document in UTF-8, below the size that a job summary may have (1 MiB); `tests` as in the page."""
    head = summary.headline(report)
    places = summary.places(report)
    parts = [
        f"## {SIGNS.get(head.tone, '⚠️')} {head.word}: {_escaped(report.contract.title or report.target.url or 'API')}",
        f"**{_escaped(head.sentence)}**",
        _escaped(" ".join([_ending(report), *head.remarks])),
        *_findings(report, places, tests),
        *_phases(report),
        *_access(report),
        *_coverage(report),
        *_latencies(report, places),
        *_untold(report, places),
        *_checklist(report),
        f"Run `{_plain(report.run_id)}` · again: `{_plain(summary.again(report))}`",
    ]
    return ("\n\n".join(part for part in parts if part) + "\n").encode("utf-8", "backslashreplace")


def _ending(report: Report) -> str:
    return "No exit code yet." if report.exit_code is None else f"Exit code {int(report.exit_code)}: {report.meaning}."


def _findings(report: Report, places: Mapping[str, str], tests: Mapping[str, str]) -> list[str]:
    if not report.findings:
        return []
    ordered = (*report.counted, *(finding for finding in report.findings if finding.fingerprint in report.known))
    listed = ordered[:LISTED]
    parts = [
        "### Findings",
        _table(
            ("Severity", "Operation", "Finding", "Class", "Standing", "Fingerprint"),
            (
                (
                    finding.severity.value,
                    _code(places.get(finding.operation, finding.operation) or summary.NO_OPERATION),
                    _cell(finding.title),
                    _code(finding.code),
                    summary.standing(finding, report),
                    _code(finding.fingerprint),
                )
                for finding in listed
            ),
        ),
    ]
    if len(report.findings) > LISTED:
        parts.append(f"and {counted(len(report.findings) - LISTED, 'more finding')} in report.html.")
    return parts + [_detail(finding, report, tests.get(finding.fingerprint, "")) for finding in listed[:DETAILED]]


def _detail(finding: Finding, report: Report, test: str) -> str:
    """One finding, folded, with one curl command: the last of its sequence, which shows the fault."""
    title = _html(clipped(one_line(finding.title), CELL_LIMIT))
    items = [
        f"- {name}: {_escaped(clipped(one_line(text), TEXT_LIMIT))}"
        for name, text in (
            ("Promised", finding.promised),
            ("At", str(finding.place or "")),
            ("Seen", finding.seen),
            ("To mend it", CODES[finding.code].mend if finding.code in CODES else ""),
            ("Known", _known(finding, report)),
            ("Test of its own", test),
            ("Known as", ", ".join(references(finding.code, finding.kind))),
        )
        if text
    ]
    items.append(f"- Again: `{reproduction.replay(finding)}`")
    script = reproduction.script(finding, report)
    command = [_fenced(script.lines[-1].command)] if script.lines else []
    parts = [
        f"<details><summary><b>{finding.severity}</b> {title}</summary>",
        "\n".join(items),
        *command,
        "</details>",
    ]
    return "\n\n".join(parts)


def _known(finding: Finding, report: Report) -> str:
    """The reason why a finding does not count; empty where it counts."""
    known = report.known.get(finding.fingerprint)
    return f"until {known.expires}: {known.reason}" if known else ""


def _phases(report: Report) -> list[str]:
    if not report.phases:
        return []
    rows = (
        (
            _cell(phase.name),
            _cell(phase.status),
            f"{phase.examined:,}",
            f"{phase.findings:,}",
            f"{phase.seconds:.1f}",
            _cell(phase.reason),
        )
        for phase in report.phases
    )
    return ["### Phases", _table(("Phase", "Status", "Examined:", "Findings:", "Seconds:", "Reason"), rows)]


def _coverage(report: Report) -> list[str]:
    """The figure, and what was not reached, folded."""
    told = reach.sentence(report)
    if not told:
        return []
    missing = reach.missing(report)
    parts = ["### Coverage of the contract", _escaped(f"{told}.")]
    if missing:
        rows = ((_code(place), _cell(status), _cell(why)) for place, status, why in missing[:LISTED])
        more = [f"and {len(missing) - LISTED:,} more in report.html"] if len(missing) > LISTED else []
        title = f"<details><summary>Not reached: {_html(reach.reasons(report))}</summary>"
        parts += [title, _table(("Operation", "Answer", "Why"), rows), *more, "</details>"]
    return parts


def _access(report: Report) -> list[str]:
    """The authorization matrix, folded: A let in and R refused as promised, the rest with what was seen."""
    lines = access.lines(report)
    if not lines:
        return []
    columns = ("Operation", *(_cell(name) for name in authorization(report.verdicts).columns))
    rows = ((_code(line.place), *(_access_cell(cell) for cell in line.cells)) for line in lines)
    key = "A let in, R refused, as promised; ❌ otherwise, with the status seen; ? unknown; · not promised."
    return [
        "### Who may call what",
        f"{access.sentence(report)} {key}",
        f"<details><summary>The matrix</summary>\n\n{_table(columns, rows)}\n\n</details>",
    ]


def _access_cell(cell: access.Shown | None) -> str:
    if cell is None:
        return "·"
    return f"❌ {_cell(cell.seen)}" if cell.tone == "f" else cell.letter


def _latencies(report: Report, places: Mapping[str, str]) -> list[str]:
    if not report.latencies:
        return []
    columns = (
        "Operation",
        "Verdict",
        "p50 ms:",
        "p95 ms:",
        "p99 ms:",
        "max ms:",
        "Objective p95:",
        "per s:",
        "Errors:",
    )
    return ["### Latency", _table(columns, (_latency(item, places) for item in report.latencies))]


def _latency(item: OperationLatency, places: Mapping[str, str]) -> tuple[str, ...]:
    figures = (item.p50_ms, item.p95_ms, item.p99_ms, item.max_ms)
    return (
        _code(places.get(item.operation, item.operation)),
        item.verdict.value + (f": {_cell(item.reason)}" if item.reason else ""),
        *("-" if figure is None else f"{figure:,.1f}" for figure in figures),
        "-" if item.objective_p95_ms is None else f"{item.objective_p95_ms:g}",
        f"{item.rate_per_s:.1f}",
        f"{item.error_ratio:.2%}",
    )


def _untold(report: Report, places: Mapping[str, str]) -> list[str]:
    found = summary.untold(report)
    if not found:
        return []
    lines = []
    for item in found[:UNTOLD_LISTED]:
        first = _code(places.get(item.operations[0], item.operations[0]))
        more = f" and {len(item.operations) - 1} more" if len(item.operations) > 1 else ""
        lines.append(
            f"- **{_escaped(item.promise)}** {_escaped(clipped(one_line(item.reason), TEXT_LIMIT))} ({first}{more})"
        )
    if len(found) > UNTOLD_LISTED:
        lines.append(f"- and {counted(len(found) - UNTOLD_LISTED, 'more reason')} in report.html")
    return ["### Not examined", "\n".join(lines)]


def _checklist(report: Report) -> list[str]:
    """The review checklist: what is not a pass in the open, the whole folded."""
    if not report.checklist:
        return []
    rows = [
        (_cell(item.id), _cell(item.text), _cell(item.standing.value), _cell(item.evidence))
        for item in report.checklist
    ]
    table = _table(("Item", "What it asks", "Standing", "By"), rows)
    head = f"<details><summary><b>Review checklist</b> {summary.checklist_text(report)}</summary>"
    return [f"{head}\n\n{table}\n\n</details>"]


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table; a column whose name ends with a colon is of numbers."""
    names = [column.rstrip(":") for column in columns]
    rule = ["---:" if column.endswith(":") else "---" for column in columns]
    return "\n".join(f"| {' | '.join(row)} |" for row in (names, rule, *rows))


def _cell(text: str) -> str:
    return _escaped(clipped(one_line(text), CELL_LIMIT))


def _escaped(text: str) -> str:
    """Text that Markdown and HTML take for nothing but text."""
    return _SPECIAL.sub(r"\\\1", _html(printable(text)))


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> str:
    """Text for between single backticks in a table: neither a backtick nor a bar."""
    return one_line(text).replace("`", "'").replace("|", "/")


def _code(text: str) -> str:
    return f"`{_plain(clipped(text, CELL_LIMIT))}`"


def _fenced(text: str) -> str:
    """Code in a fence longer than any run of backticks in it."""
    fit = printable(text)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", fit)), default=0))
    return f"{fence}sh\n{fit}\n{fence}"
