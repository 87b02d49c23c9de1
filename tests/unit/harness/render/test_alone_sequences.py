"""A finding's test file over several answers: it fails on those of the fault and passes on mended ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.codes import CODES
from harness.contract import Contract
from harness.exits import Exit
from harness.finding import Finding, Reproduction, Severity
from harness.render import alone, assertion
from harness.render.rule import Unstated
from harness.report import Report, RunStatus, Target
from tests.unit.harness.render.defined import defined
from tests.unit.harness.render.shelf import (
    DOCUMENT,
    OLD,
    PLANTED,
    WALK,
    Shown,
    Told,
    keyed,
    step,
)
from tests.unit.harness.render.shown_sequences import SEQUENCES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType


def loaded(shown: Shown) -> ModuleType:
    """The file of a finding as a module."""
    finding = Finding(
        shown.code, "a fault", Severity.LOW, shown.operation, shown.kind, "It holds.", shown.seen,
        reproduction=Reproduction("", {}, tuple(shown.steps)),
    )  # fmt: skip
    report = Report("run", RunStatus.COMPLETE, Exit.FINDINGS, Target("url", "http://127.0.0.1:9"), findings=(finding,))
    text = alone.render(finding, report, assertion.asserted(Contract(DOCUMENT), finding, {})).decode()
    return defined(text)


def ran(shown: Shown, answers: Sequence[Told | Callable[[Any], Told]]) -> list[dict[str, Any]]:
    """Runs the file's test on these answers; what it sent."""
    module = loaded(shown)
    sent: list[dict[str, Any]] = []

    def send(number: int, method: str, path: str, **rest: Any) -> Any:
        sent.append({"method": method, "path": path, **rest})
        given = answers[number - 1]
        status, headers, body = given(sent) if callable(given) else given
        data = b"" if body is None else json.dumps(body).encode()
        return module.Answer(number, status, headers, data, path, rest.get("body") or b"")

    module.__dict__["send"] = send
    getattr(module, next(name for name in vars(module) if name.startswith("test_")))()
    return sent


@pytest.mark.parametrize("shown", SEQUENCES, ids=lambda shown: f"{shown.code} {shown.kind}")
def test_it_fails_on_the_fault_and_passes_without(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault's own answers break the assertion, and those of a mended build do not."""
    assert shown.code in CODES
    monkeypatch.setenv("BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(AssertionError, match="It holds"):
        ran(shown, shown.broken)
    assert len(ran(shown, shown.mended)) == len(shown.steps)


def test_keys_and_marks_are_new_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was used is answered by what it did then, so both calls have a new one, and the same."""
    monkeypatch.setenv("BASE_URL", "http://127.0.0.1:9")
    shown = next(item for item in SEQUENCES if item.code == "idempotency.refused-again")
    keys = [request["headers"][0][1] for request in ran(shown, shown.mended)]
    assert keys[0] == keys[1] != "key-1"


@pytest.mark.parametrize(
    ("code", "kind", "seen", "steps", "reason"),
    [
        ("idempotency.many-effects", "at once", "", [keyed("together", "k-1")] * 2, "at one instant"),
        ("idempotency.many-effects", "after a lost answer", "", [keyed("cut", "k-1")], "ending the connection"),
        ("idempotency.many-effects", "again", "2 things are there.", [keyed("first", "k-1")],
         "counting what a whole list"),
        ("idempotency.other-body", "refused-but-done", "", [keyed("first", "k-1")], "counting what a whole list"),
        ("idempotency.no-effect", "", "", [keyed("after-cut", "k-1")], "ending the connection"),
        ("http.content", "304", "", [step("list", "")], "after a 304"),
        ("http.body-bound", "untold", "", [step("make", "length-untold|9")], "in chunks"),
        ("http.body-bound", "over", "", [{**step("make", "length-over|9"), "body": " " * 300_000}], "longer than"),
        ("writes.refused-effect", "", "9 writes were refused (422).",
         [step("get", "before"), step("put", "refused"), step("get", "after")], "more writes were refused"),
        ("page.missing", "", "", WALK, "things that were made for its list"),
        ("page.missing", "", "on none of the 7 pages.", [*PLANTED, *WALK], "more pages than its sequence"),
        ("page.duplicate", "", "", [*WALK[:1], {**WALK[1], "query": [["cursor", "x1"]]}], "named by the page before"),
        ("resource.not-listed", "", "", [step("list", f"listed-later|{OLD}|2")], "every page"),
    ],
)  # fmt: skip
def test_what_a_sequence_does_not_show(code: str, kind: str, seen: str, steps: Sequence[Any], reason: str) -> None:
    """Where the answers of the sequence alone would not show it, the reason says so."""
    with pytest.raises(Unstated, match=reason):
        loaded(Shown(code, kind, "make", steps, (), (), seen))
