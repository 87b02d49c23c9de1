"""Which phases run, which words are known, and how a phase's verdicts become its line in a report."""

from __future__ import annotations

import pytest

from harness.contract import Contract
from harness.errors import UsageError
from harness.finding import Finding, Severity
from harness.session import Wanted
from harness.verdict import Verdict
from harness.verify import Options, _known, _phase_of, _without_standing, names

CONTRACT = Contract(
    {
        "openapi": "3.1.0",
        "info": {"title": "One", "version": "1"},
        "paths": {"/one": {"get": {"operationId": "one.get", "responses": {}}}},
    }
)
FAULT, OTHER = (Finding(f"headers.{name}", name, Severity.LOW, "one.get") for name in ("missing", "value"))


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (set(), ["promises", "fuzz", "load", "judge"]),
        ({"fuzz"}, ["fuzz", "judge"]),
        ({"load", "promises"}, ["promises", "load", "judge"]),
        ({"roles"}, ["promises", "judge"]),
        ({"roles", "fuzz"}, ["fuzz", "judge"]),
    ],
)
def test_the_phases_that_run(only: set[str], expected: list[str]) -> None:
    """All, those named in their own order, or the promise cases where only promises or operations are named."""
    assert names(Options(Wanted(), only=frozenset(only))) == expected


def test_words_that_are_known() -> None:
    """Phases, promises and operations of the contract."""
    _known(frozenset({"fuzz", "roles", "rate-limit", "one.get"}), CONTRACT)


def test_words_that_are_not_known() -> None:
    """Each is told with what is near to it, and once all that there is."""
    with pytest.raises(UsageError) as caught:
        _known(frozenset({"fuz", "one.gets", "qqq", "roles"}), CONTRACT)
    assert caught.value.problems[:3] == (
        "'fuz' is no phase, promise or operation of the contract; near are fuzz",
        "'one.gets' is no phase, promise or operation of the contract; near are one.get",
        "'qqq' is no phase, promise or operation of the contract",
    )
    assert caught.value.problems[3].startswith("phases are promises, fuzz, load; promises are schema, ")


@pytest.mark.parametrize(
    ("told", "reason", "status", "shown"),
    [
        ([Verdict("roles", "one", 3)], "", "pass", ""),
        ([Verdict("roles", "one", 3, (FAULT,)), Verdict("roles", "two", 1, (FAULT,))], "", "fail", ""),
        ([Verdict("roles", "one")], "", "inconclusive", "nothing sent"),
        ([], "", "inconclusive", "nothing sent"),
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
    """A standing verdict told in passing goes where the whole history was judged; what only it found stays."""
    judged = [Verdict("headers", "one.get", 90, (FAULT,))]
    told = [
        Verdict("headers", "one.get", 3, (FAULT,)),
        Verdict("headers", "one.get", 3, (FAULT, OTHER)),
        Verdict("headers", "two", 3),
        Verdict("roles", "one.get", 5),
    ]
    left = _without_standing(told, judged)
    assert [(verdict.promise, verdict.operation, verdict.examined) for verdict in left] == [
        ("headers", "one.get", 0),
        ("headers", "two", 3),
        ("roles", "one.get", 5),
    ]
    assert left[0].findings == (OTHER,)
