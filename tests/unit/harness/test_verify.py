"""How a phase's verdicts become its line in a report, and what the judgement of the whole replaces."""

from __future__ import annotations

import pytest

from harness import watch
from harness.finding import Finding, Severity
from harness.verdict import Verdict
from harness.verify import _phase_of, _without_standing

FAULT, OTHER = (Finding(f"headers.{name}", name, Severity.LOW, "one.get") for name in ("missing", "value"))


@pytest.mark.parametrize(
    ("told", "reason", "status", "shown"),
    [
        ([Verdict("roles", "one", 3)], "", "pass", ""),
        ([Verdict("roles", "one", 3, (FAULT,)), Verdict("roles", "two", 1, (FAULT,))], "", "fail", ""),
        ([Verdict("roles", "one", 3), Verdict("roles", "two", reason="no")], "", "pass", "1 could not be told"),
        ([Verdict("roles", "one", reason="no seller")], "", "inconclusive", "no seller"),
        ([], "", "inconclusive", "nothing was examined"),
        ([Verdict("roles", "one", 3)], "it broke", "inconclusive", "it broke"),
        ([Verdict("roles", "one", 3, (FAULT,))], "it broke", "fail", "it broke"),
    ],
)
def test_a_phase_in_a_report(told: list[Verdict], reason: str, status: str, shown: str) -> None:
    """Findings are counted once, what failed has its reason, nothing examined is never a pass."""
    phase = _phase_of("promises", told, 1.0, reason)
    assert (phase.status, phase.reason) == (status, shown)
    assert phase.findings == (1 if status == "fail" else 0)


def test_the_judgement_of_the_whole_replaces_its_parts() -> None:
    """A standing verdict told in passing goes where the whole history was judged; what only it found stays.

    What was told until then, as cases ended, goes too.
    """
    judged = [Verdict("headers", "one.get", 90, (FAULT,))]
    told = [
        Verdict("headers", "one.get", 3, (FAULT,)),
        Verdict("headers", "one.get", 3, (FAULT, OTHER)),
        Verdict("headers", "two", 3),
        Verdict("roles", "one.get", 5),
        Verdict("headers", "three", findings=(OTHER,), driver=watch.DRIVER),
    ]
    left = _without_standing(told, judged)
    assert [(verdict.promise, verdict.operation, verdict.examined) for verdict in left] == [
        ("headers", "one.get", 0),
        ("headers", "two", 3),
        ("roles", "one.get", 5),
    ]
    assert left[0].findings == (OTHER,)
