"""How a run ends: the first ending that applies is its exit code, and its reason is a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness import ending
from harness.contract import Contract
from harness.exits import Exit
from harness.finding import Finding, Severity
from harness.history import Journal
from harness.report import Report, RunStatus, Target
from harness.run import VERDICTS
from harness.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = Contract(
    {
        "openapi": "3.1.0",
        "info": {"title": "One", "version": "1"},
        "paths": {
            "/one": {"get": {"operationId": "one", "responses": {}, "x-promises": {"roles": {"allow": ["user"]}}}},
            "/two": {"get": {"operationId": "two", "responses": {}}},
        },
    }
)
LOW, HIGH = (Finding(f"headers.{severity}", "a fault", severity, "one") for severity in (Severity.LOW, Severity.HIGH))
HELD = Verdict("schema", "one", 3)
UNTOLD = Verdict("roles", "one", reason="no identity with the role 'user' can be had")
UNDECLARED = Verdict("roles", "two", reason="no identity can be had")


@pytest.mark.parametrize(
    ("told", "more", "code", "reason"),
    [
        ([HELD], {}, Exit.HOLDS, ""),
        ([HELD, UNDECLARED], {}, Exit.HOLDS, ""),
        ([HELD, UNTOLD], {}, Exit.INCONCLUSIVE, "roles of one: no identity with the role 'user' can be had"),
        ([], {}, Exit.INCONCLUSIVE, ""),
        ([HELD], {"failures": ["fuzz: ended with 1"]}, Exit.INCONCLUSIVE, "fuzz: ended with 1"),
        ([HELD, UNTOLD, Verdict("headers", "one", 1, (LOW,))], {}, Exit.FINDINGS, UNTOLD.reason),
        ([Verdict("headers", "one", 1, (LOW,))], {"alive": False}, Exit.TARGET, "the target does not answer any more"),
    ],
    ids=["holds", "undeclared", "untold", "nothing", "failure", "finding", "gone"],
)
def test_the_first_ending_that_applies(
    tmp_path: Path, told: list[Verdict], more: dict[str, Any], code: Exit, reason: str
) -> None:
    """A target that is gone, a finding, something untold, else it holds."""
    report = Report("run", RunStatus.RUNNING, None, Target("url"), fail_on="low")
    ended = ending.complete(report, CONTRACT, tmp_path, told, **more)
    assert (ended.status, ended.exit_code) == (RunStatus.COMPLETE, code)
    assert reason in ended.reason
    assert bool(ended.reason) is bool(reason)


@pytest.mark.parametrize(
    ("fail_on", "found", "code"),
    [("low", LOW, 1), ("medium", LOW, 0), ("high", HIGH, 1), ("critical", HIGH, 0), ("", LOW, 1)],
)
def test_the_severity_from_which_a_finding_counts(tmp_path: Path, fail_on: str, found: Finding, code: int) -> None:
    """A milder finding is shown and does not count; where nothing was said every one counts."""
    report = Report("run", RunStatus.RUNNING, None, Target("url"), fail_on=fail_on)
    ended = ending.complete(report, CONTRACT, tmp_path, [Verdict("headers", "one", 1, (found,))])
    assert (ended.exit_code, ended.findings) == (code, (found,))


def test_a_stopped_run_keeps_what_was_told(tmp_path: Path) -> None:
    """Verdicts of all processes are in it, together where they are of one promise and operation."""
    for process in (1, 2):
        journal = Journal(tmp_path / VERDICTS / f"pytest-{process}.jsonl")
        journal.append(HELD.to_record())
        journal.close()
    stopped = ending.stopped(
        Report("run", RunStatus.RUNNING, None, Target("url")), tmp_path, Exit.INTERRUPTED, "interrupted"
    )
    assert (stopped.status, stopped.exit_code, stopped.reason) == (RunStatus.PARTIAL, Exit.INTERRUPTED, "interrupted")
    assert [(verdict.promise, verdict.examined) for verdict in stopped.verdicts] == [("schema", 6)]
