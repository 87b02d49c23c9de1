"""The phases of a verification, as far as they decide something without a target."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.contract import Contract
from harness.exchange import Exchange, Request, Response
from harness.finding import Finding, Severity, one_of_each_first
from harness.history import Journal
from harness.phases import Context, judged, unloaded
from harness.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from harness.run import Run
    from harness.session import Session

ERROR = {"description": "no", "content": {"application/json": {"schema": {"type": "object"}}}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "notes", "version": "1"},
    "x-promises": {"envelope": {"schema": {"type": "object"}}},
    "paths": {
        "/notes": {"get": {"operationId": "notes.list", "responses": {"200": {"description": "ok"}, "404": ERROR}}}
    },
}


def test_one_of_each_kind_is_shown_again_before_a_second_of_any() -> None:
    """A fault that a hundred operations share does not use up the time of the others."""
    codes = ["a", "a", "a", "b", "b", "c"]
    findings = [Finding(code, code, Severity.LOW, str(number)) for number, code in enumerate(codes)]
    assert [finding.operation for finding in one_of_each_first(findings)] == ["0", "3", "5", "1", "4", "2"]


@pytest.mark.parametrize(("asked", "told"), [((), False), ((Verdict("envelope", "notes.list"),), True)])
def test_what_no_driver_was_asked_is_not_missed(tmp_path: Path, asked: tuple[Verdict, ...], *, told: bool) -> None:
    """A load that met no error says nothing of the envelope; a run that was to examine it says that it could not."""
    run = SimpleNamespace(contract=Contract(DOCUMENT))
    session = SimpleNamespace(folder=tmp_path)
    served = Exchange("load-1-1", Request("GET", "/notes", "notes.list"), Response(200, body=b"[]"), 0, 0, 1)
    Journal(tmp_path / "history" / "load-1.jsonl").append(served.to_record())
    verdicts = judged(Context(session=cast("Session", session), run=cast("Run", run)), asked)
    assert ("envelope" in {verdict.promise for verdict in verdicts}) is told


def test_an_objective_that_no_load_can_examine_is_told() -> None:
    """Where nothing can be loaded, an operation that promises an objective by name is told as not examined."""
    named = {"responses": {"200": {"description": "ok"}}, "x-promises": {"objective": {"p95_ms": 100}}}
    paths = {"/notes/{id}": {"get": {"operationId": "notes.get", **named}}, **DOCUMENT["paths"]}
    told: list[Verdict] = []
    run = SimpleNamespace(contract=Contract({**DOCUMENT, "paths": paths}), tell=lambda one: told.append(one) or one)
    context = Context(session=cast("Session", SimpleNamespace()), run=cast("Run", run))
    verdicts = unloaded(context, "there is nothing to send")
    assert [(one.operation, one.examined, one.reason) for one in verdicts] == [
        ("notes.get", 0, "there is nothing to send")
    ]
    assert verdicts == told
