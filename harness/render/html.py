"""report.html: one page that holds everything, asks the network for nothing and runs no script.

All that a target sent goes through autoescape and through `printable`; a content security policy in the page forbids
scripts and requests even where a browser is offered one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.codes import CODES, references
from harness.finding import Confirmation
from harness.render import access, reach, reproduction, summary, witness
from harness.render.bars import bar, scale_ms
from harness.render.matrix import anchor, matrix
from harness.render.text import clipped, one_line, printable
from harness.report import RunStatus
from harness.verdict import Status, authorization

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.finding import Finding
    from harness.render.reproduction import Script
    from harness.report import Known, OperationLatency, Report

OPEN_FIRST = 5
WITNESSES_SHOWN, WITNESSES_AMONG_MANY, MANY = 6, 2, 40
OPERATIONS_SHOWN = 12
BODIES_TOTAL = 1_000_000
BODY_MOST, BODY_LEAST = 4_000, 400
TEXT_LIMIT = 4_000
HEADER_LIMIT = 500
NONE: Mapping[str, str] = MappingProxyType({})
STANDING = {
    Confirmation.CONFIRMED: "confirmed: a second run on fresh data showed it again",
    Confirmation.SEEN_ONCE: "seen once: a second run on fresh data did not show it, or there was none",
}


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding as it stands in the page; `others` are those of its code and kind in other operations."""

    anchor: str
    severity: str
    code: str
    kind: str
    known_as: str
    means: str
    mend: str
    operation: str
    place: str
    title: str
    promised: str
    where: str
    seen: str
    confirmation: str
    standing: str
    known: str
    replay: str
    script: Script
    exchanges: tuple[witness.Witness, ...]
    more: int
    witnesses: tuple[str, ...]
    others: tuple[ShownFinding, ...] = ()


def render(report: Report, tests: Mapping[str, str] = NONE) -> bytes:
    """The page in UTF-8; `tests` tell by fingerprint where a finding's own test file is, or why there is none."""
    text: str = _environment().get_template("report.html").render(_values(report, tests))
    return text.encode("utf-8", "backslashreplace")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["printable"] = _fit
    return environment


def _fit(value: Any) -> str:
    """A value as printable text; what is safe markup already stays so."""
    return value if isinstance(value, Markup) else printable(str(value))


def _style() -> Markup:
    """The style sheet, one of ours, with its indentation left out."""
    source, _, _ = PackageLoader("harness.render").get_source(_environment(), "report.css")
    return Markup(" ".join(source.split()))  # noqa: S704 - our own file, with nothing from a run in it


def _values(report: Report, tests: Mapping[str, str]) -> dict[str, Any]:
    places = summary.places(report)
    shown = WITNESSES_SHOWN if len(report.findings) <= MANY else WITNESSES_AMONG_MANY
    witnessed = sum(min(len(finding.witnesses), shown) for finding in report.findings)
    limit = max(BODY_LEAST, min(BODY_MOST, BODIES_TOTAL // max(1, 2 * witnessed)))
    ordered = (*report.counted, *(finding for finding in report.findings if finding.fingerprint in report.known))
    findings = _by_kind([_finding(finding, report, places, shown, limit) for finding in ordered])
    return {
        "report": report,
        "style": _style(),
        "title": report.contract.title or report.target.url or "API",
        "head": summary.headline(report),
        "tiles": _tiles(report),
        "findings": findings,
        "open_first": OPEN_FIRST if len(findings) <= 2 * OPEN_FIRST else 0,
        "groups": _groups(report),
        "baseline": report.baseline,
        "reach": {"sentence": reach.sentence(report), "reasons": reach.reasons(report), "rows": reach.rows(report)},
        "tests": {f"f-{name}": test for name, test in tests.items()},
        "matrix": matrix(report),
        "access": _access(report),
        "latencies": _latencies(report, places),
        "scale_ms": scale_ms(report.latencies),
        "untold": [_untold(item, places) for item in summary.untold(report)],
        "whole": report.status is RunStatus.COMPLETE,
        "rest": _rest(report),
        "untouched": [summary.place_of(operation) for operation in summary.untouched(report)],
        "facts": _facts(report),
        "checklist": summary.by_list(report),
        "checklist_counts": summary.checklist_text(report),
        "mono": {"Contract hash", "Target command", "Seed"},
        "again": summary.again(report),
    }


def _access(report: Report) -> dict[str, Any]:
    """The authorization matrix, empty where no promise tells a cell of it."""
    lines = access.lines(report)
    groups = [(access.TITLES[group], columns) for group, columns in authorization(report.verdicts).groups.items()]
    rows = [
        {"place": line.place, "quiet": line.quiet, "cells": [access.markup(cell) for cell in line.cells]}
        for line in lines
    ]
    return {
        "sentence": access.sentence(report),
        "unknown": access.unknown(report),
        "groups": groups,
        "columns": authorization(report.verdicts).columns,
        "rows": rows,
        "loud": sum(not line.quiet for line in lines),
    }


def _tiles(report: Report) -> list[dict[str, str]]:
    counts = Counter(verdict.status for verdict in report.verdicts)
    examined = sum(verdict.examined for verdict in report.verdicts)
    tiles = [
        {
            "value": f"{len(report.counted):,}",
            "label": "findings" + (f", and {len(report.known):,} known" * bool(report.known)),
        },
        {"value": f"{counts[Status.PASS]:,} of {len(report.verdicts):,}", "label": "promises held"},
        {"value": f"{counts[Status.INCONCLUSIVE]:,}", "label": "could not be told"},
        {"value": f"{examined:,}", "label": "observations examined"},
    ]
    worst = summary.worst_latency(report)
    if worst is not None and worst.p95_ms is not None:
        objective = f" (objective {worst.objective_p95_ms:g})" if worst.objective_p95_ms is not None else ""
        tiles.append({"value": f"{worst.p95_ms:.0f} ms", "label": f"slowest p95{objective}"})
    if report.seconds is not None:
        tiles.append({"value": summary.duration(report.seconds), "label": "run time"})
    return tiles


def _groups(report: Report) -> list[dict[str, Any]]:
    """Findings by severity and class, in the report's order."""
    return [
        {
            "severity": finding.severity.value,
            "code": finding.code,
            "count": count,
            "title": clipped(one_line(finding.title), 120),
            "anchor": anchor(finding),
        }
        for finding, count in summary.classes(report)
    ]


def _by_kind(findings: Sequence[ShownFinding]) -> list[ShownFinding]:
    """The first finding of each code and kind, in order, with the others in it: one cause is mostly one entry."""
    kinds: dict[tuple[str, str, str, bool], list[ShownFinding]] = {}
    for finding in findings:
        kinds.setdefault((finding.severity, finding.code, finding.kind, bool(finding.known)), []).append(finding)
    return [replace(first, others=tuple(others)) for first, *others in kinds.values()]


def _finding(finding: Finding, report: Report, places: Mapping[str, str], shown: int, limit: int) -> ShownFinding:
    seen = reproduction.seen(finding, report)
    return ShownFinding(
        anchor=anchor(finding),
        severity=finding.severity.value,
        code=finding.code,
        kind=clipped(finding.kind, HEADER_LIMIT),
        known_as=" · ".join(references(finding.code, finding.kind)),
        means=CODES[finding.code].means if finding.code in CODES else "",
        mend=CODES[finding.code].mend if finding.code in CODES else "",
        operation=finding.operation,
        place=places.get(finding.operation, finding.operation) or summary.NO_OPERATION,
        title=clipped(one_line(finding.title), 300),
        promised=clipped(finding.promised, TEXT_LIMIT),
        where=clipped(str(finding.place), HEADER_LIMIT) if finding.place else "",
        seen=clipped(finding.seen, TEXT_LIMIT),
        confirmation=summary.standing(finding, report),
        standing=STANDING[finding.confirmation],
        known=_known(report.known.get(finding.fingerprint)),
        replay=reproduction.replay(finding),
        script=reproduction.script(finding, report, 2 * shown),
        exchanges=tuple(witness.shown(item, limit) for item in seen[:shown]),
        more=max(0, len(seen) - shown),
        witnesses=finding.witnesses[:OPERATIONS_SHOWN],
    )


def _known(entry: Known | None) -> str:
    return "" if entry is None else f"until {entry.expires}: {clipped(entry.reason, TEXT_LIMIT)}"


def _latencies(report: Report, places: Mapping[str, str]) -> list[dict[str, Any]]:
    scale = scale_ms(report.latencies)
    return [
        {
            "place": places.get(item.operation, item.operation),
            "bar": bar(item, scale),
            "figures": _figures(item),
            "verdict": item.verdict.value,
            "reason": item.reason,
        }
        for item in report.latencies
    ]


def _figures(item: OperationLatency) -> list[str]:
    latencies = (item.p50_ms, item.p95_ms, item.p99_ms, item.max_ms)
    objective = "" if item.objective_p95_ms is None else f"{item.objective_p95_ms:g}"
    return [
        *("-" if value is None else f"{value:,.1f}" for value in latencies),
        objective,
        f"{item.count:,}",
        f"{item.rate_per_s:.1f}",
        f"{item.error_ratio:.2%}",
    ]


def _rest(report: Report) -> str:
    """What is to be said where no promise is known to be untold."""
    if not report.verdicts:
        return "Nothing was examined."
    if report.status is not RunStatus.COMPLETE:
        return "The run did not come to its end: what it had not reached was not examined."
    return "Everything that was promised was examined."


def _untold(item: summary.Untold, places: Mapping[str, str]) -> dict[str, Any]:
    shown = [places.get(name, name) for name in item.operations[:OPERATIONS_SHOWN]]
    return {
        "promise": item.promise,
        "reason": clipped(item.reason, TEXT_LIMIT),
        "shown": shown,
        "more": max(0, len(item.operations) - OPERATIONS_SHOWN),
    }


def _facts(report: Report) -> list[tuple[str, str]]:
    """What stands under "This run", empty ones left out."""
    facts = [
        ("Run", f"{report.run_id} ({report.status})"),
        ("Target", f"{report.target.kind} {report.target.url}".strip()),
        ("Target command", report.target.command),
        ("Contract", report.contract.title),
        ("Contract hash", report.contract.hash),
        ("Overlays", ", ".join(report.contract.overlays)),
        ("Seed", "" if report.seed is None else str(report.seed)),
        ("Started", report.started.strftime("%Y-%m-%d %H:%M:%S %Z") if report.started else ""),
        ("Took", "" if report.seconds is None else summary.duration(report.seconds)),
        ("Budget", "" if report.budget_s is None else summary.duration(report.budget_s)),
        ("Requests", f"{report.requests:,}" if report.requests else ""),
        ("Answers 429", f"{report.paced:,} waited out, no finding" if report.paced else ""),
        ("Versions", ", ".join(f"{name} {version}" for name, version in report.versions.items())),
    ]
    return [(name, value) for name, value in facts if value]
