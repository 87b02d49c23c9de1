"""The coverage of the contract as every rendering shows it: a figure, a row an operation, and what was not reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.coverage import StatusCoverage, Why
from harness.render import summary
from harness.render.text import clipped, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.report import Report

DETAIL_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Status:
    """One documented status: `tone` is pass, unclear or soft (apart); `title` says how often, or why not."""

    status: str
    tone: str
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """One operation: its statuses, the calls of each kind of caller, and how many promises were examined."""

    place: str
    statuses: tuple[Status, ...]
    callers: tuple[str, ...]
    promises: str
    whole: bool


def sentence(report: Report) -> str:
    """`61 of 80 documented answers reached (76.2 %)`, and of those that the server alone decides; empty without any."""
    held = report.coverage
    if not held.pairs:
        return ""
    apart = [status for row in held.operations for status in row.statuses if status.apart]
    met = sum(bool(status.count) for status in apart)
    told = f"{held.reached:,} of {len(held.pairs):,} documented answers reached ({held.percent:.1f} %)"
    return f"{told}; apart from them {met:,} of {len(apart):,} that the server alone decides" if apart else told


def rows(report: Report) -> list[Row]:
    """Every operation, those with something missing first."""
    places = summary.places(report)
    found = (
        Row(
            places.get(item.operation, item.operation),
            tuple(_status(status) for status in item.statuses),
            tuple(_calls(item.callers.get(name, {})) for name in report.coverage.callers),
            f"{item.examined} of {item.promises}",
            all(status.count or status.apart for status in item.statuses),
        )
        for item in report.coverage.operations
    )
    return sorted(found, key=lambda row: row.whole)


def missing(report: Report) -> list[tuple[str, str, str]]:
    """What counts and was not reached: the operation's place, the status, and why."""
    places = summary.places(report)
    return [
        (places.get(row.operation, row.operation), status.status, _told(status))
        for row in report.coverage.operations
        for status in row.statuses
        if not status.count and not status.apart
    ]


def reasons(report: Report) -> str:
    """How many answers were not reached for which reason: `no case 14, not sent 5`."""
    counts = {why: sum(status.why is why for status in report.coverage.pairs) for why in Why if why}
    return ", ".join(f"{why} {count}" for why, count in counts.items() if count)


def _status(status: StatusCoverage) -> Status:
    if status.count:
        return Status(status.status, "pass", f"{status.count:,} calls answered so")
    if status.apart:
        return Status(status.status, "soft", "the server alone decides it; not counted")
    return Status(status.status, "unclear", _told(status))


def _told(status: StatusCoverage) -> str:
    detail = clipped(one_line(status.detail), DETAIL_LIMIT)
    return f"{status.why}: {detail}" if detail else status.why.value


def _calls(answers: Mapping[str, int]) -> str:
    return f"{sum(answers.values()):,}" if answers else ""
