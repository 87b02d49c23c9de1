"""The phases of a verification, as far as they decide something without a target."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from harness.contract import Contract
from harness.exchange import Exchange, Request, Response
from harness.finding import Finding, Severity
from harness.history import Journal
from harness.phases import Context, _one_of_each_first, judged
from harness.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from harness.run import Run
    from harness.session import Session

ERROR = {"description": "no", "content": {"application/json": {"schema": {"type": "object"}}}}
DOCUMENT = {
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
    assert [finding.operation for finding in _one_of_each_first(findings)] == ["0", "3", "5", "1", "4", "2"]


@pytest.mark.parametrize(("asked", "told"), [((), False), ((Verdict("envelope", "notes.list"),), True)])
def test_what_no_driver_was_asked_is_not_missed(tmp_path: Path, asked: tuple[Verdict, ...], *, told: bool) -> None:
    """A load that met no error says nothing of the envelope; a run that was to examine it says that it could not."""
    run = SimpleNamespace(contract=Contract(DOCUMENT))
    session = SimpleNamespace(folder=tmp_path)
    served = Exchange("load-1-1", Request("GET", "/notes", "notes.list"), Response(200, body=b"[]"), 0, 0, 1)
    Journal(tmp_path / "history" / "load-1.jsonl").append(served.to_record())
    verdicts = judged(Context(session=cast("Session", session), run=cast("Run", run)), asked)
    assert ("envelope" in {verdict.promise for verdict in verdicts}) is told
