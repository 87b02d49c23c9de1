"""What a run writes and hands on holds no secret that it knows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import canary, examine, judge
from harness.case import Case, one
from harness.contract import Contract
from harness.errors import CannotTell
from harness.exchange import Exchange, Request, Response
from harness.finding import Finding, Reproduction, Severity
from harness.promises import survey
from harness.promises.catalogue import BY_KEY
from harness.run import Attachment, Run, freeze, told_secrets, verdicts
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.case import Steps
    from harness.stage import Stage

URL = "http://127.0.0.1:9"
TENANTS = ("alpha", "beta", "gamma", "delta")
KEY = "user-key-4711"
OTHER = "drawn-token-42"
CONTRACT = Contract(
    {
        "openapi": "3.1.0",
        "info": {"title": "One", "version": "1"},
        "x-promises": {"headers": {"X-Request-ID": {"pattern": "^[a-z]+$"}}},
        "paths": {"/one": {"get": {"operationId": "one", "responses": {"200": {"description": "fine"}}}}},
    }
)
IDENTITIES = {"known": [{"name": "user-0", "roles": ["user"], "headers": {"X-Key": "{env:K1}"}}]}
FINDING = Finding(
    "schema.body",
    f"title {KEY}",
    Severity.LOW,
    "one",
    kind=f"kind {KEY}",
    promised=f"promised {OTHER}",
    seen=f'seen {{"detail": "bad key {KEY}"}}',
    witnesses=("e-1",),
    reproduction=Reproduction(
        "schema/one/survey", {"program": [KEY, {KEY: 1}]}, ({"path": f"/{OTHER}", "headers": [["X-Own", KEY]]},)
    ),
)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """A run that was told a key by its environment and has met a token since."""
    freeze(CONTRACT, tmp_path)
    attachment = Attachment(str(tmp_path), URL, 7, IDENTITIES, {"K1": KEY})
    with Run(attachment, "pytest", contract=CONTRACT) as opened:
        opened.recorder.mask.register(OTHER)
        yield opened


@settings(max_examples=30, deadline=None)
@given(key=st.text(max_size=20), attempt=st.integers(1, 9), tenant=st.none() | st.sampled_from(TENANTS))
def test_what_is_written_in_a_tenant_shows_its_mark_and_no_others(
    tmp_path_factory: pytest.TempPathFactory, key: str, attempt: int, tenant: str | None
) -> None:
    """A world in a tenant that was named, or drawn by its key, writes texts that no other tenant's are taken for."""
    told = {"tenants": {"header": "X-Tenant", "names": list(TENANTS)}}
    with Run(Attachment(str(tmp_path_factory.getbasetemp()), URL, 7, told, {}), "pytest", contract=CONTRACT) as run:
        stage = run.stage(key, attempt, tenant)
    assert stage.tenant == tenant or (tenant is None and stage.tenant in TENANTS)
    assert canary.MARK.search(stage.unique())
    assert canary.foreign(stage.unique(), stage.tenant) == []


def test_a_verdict_is_told_masked(run: Run, tmp_path: Path) -> None:
    """Sentences, kind, reason, parameters and steps are masked where they are written and in what is handed on."""
    told = run.tell(Verdict("schema", "one", 1, (FINDING,), reason=f"it said {KEY}"))
    assert verdicts(tmp_path) == [told]
    for text in (repr(told), *(path.read_text() for path in tmp_path.rglob("*") if path.is_file())):
        assert KEY not in text
        assert OTHER not in text
    assert told.findings[0].seen == 'seen {"detail": "bad key [masked secret]"}'
    assert told.findings[0].witnesses == FINDING.witnesses


def test_a_verdict_without_a_secret_is_told_as_it_is(run: Run) -> None:
    """Masking changes nothing else, and a finding keeps its fingerprint."""
    finding = replace(FINDING, title="t", kind="k", promised="p", seen="s", reproduction=Reproduction("a", {"n": 1.5}))
    verdict = Verdict("schema", "one", 3, (finding,), "why", 0.25, "pytest")
    assert run.tell(verdict) == verdict


@pytest.mark.parametrize("by_case", [False, True], ids=["its-requests", "its-case"])
def test_what_is_shown_again_is_masked(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    by_case: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """A finding shown again by its case or by its requests says nothing secret either."""

    def send(request: Request, **_: Any) -> Exchange:
        return Exchange("e-9", request, Response(200, (("X-Request-ID", KEY),)), 1, 1, 2)

    monkeypatch.setattr(run.recorder, "send", send)
    history = [send(Request("GET", "/one", "one"))]
    all_found = [item for told in judge.standing(CONTRACT, history) for item in told.findings]
    found = next(item for item in all_found if item.code == "headers.value")
    whole = judge.reproducible(found, history, {"e-9": history[0]})
    name = survey.cases(run.contract, run.contract.by_id["one"], run.random("survey/one"))[0].name
    whole = replace(whole, reproduction=replace(whole.reproduction, case=f"headers/one/{name}" if by_case else ""))
    verdict = judge.again(run, whole, attempts=1)
    assert [item.code for item in verdict.findings] == ["headers.value"]
    assert KEY in found.seen
    assert KEY not in json.dumps(verdict.to_record())


@pytest.mark.parametrize(
    ("known", "value", "kind"),
    [
        ({"headers": {"X-Key": "{env:V}"}}, "user-key-4711", "secret"),
        ({"token": "{env:V}"}, "abcdef-012345", "secret"),
        ({"login": {"name": "a", "password": "{env:V}"}}, "s3cret-word", "secret"),
        ({"login": {"email": "{env:V}"}}, "someone@example.test", "value"),
        ({"login": {"password": "{env:V}"}}, "password", "value"),
        ({"token": "{env:V}"}, "12345678", "value"),
    ],
)
def test_a_credential_is_told_from_other_values(known: dict[str, Any], value: str, kind: str) -> None:
    """Only what is a credential by its place, and no plain word or number, is a secret wherever it shows."""
    assert told_secrets(Attachment("", "", 7, {"known": [known]}, {"V": value, "OTHER": "x"})) == {value: kind}


def test_a_credential_that_comes_back_is_found_and_masked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that quotes the caller's key is a leak while it is driven, as it is in the history, and is not shown."""

    def send(request: Request, **_: Any) -> Exchange:
        return Exchange("e-9", request, Response(500, (), b'{"detail": "bad key ' + KEY.encode() + b'"}'), 1, 1, 2)

    monkeypatch.setattr(run.recorder, "send", send)
    case = survey.cases(run.contract, run.contract.by_id["one"], run.random("survey/one"))[0]
    verdict = examine.once(run, BY_KEY["leaks"], case)
    assert ("leaks.secret", "known secret") in {(item.code, item.kind) for item in verdict.findings}
    assert KEY not in repr(verdict)


@pytest.mark.parametrize(("status", "expected"), [(500, [False, True]), (200, [False, False])], ids=["found", "untold"])
def test_a_case_knows_that_it_is_to_show_a_fault_again(
    run: Run, monkeypatch: pytest.MonkeyPatch, status: int, expected: list[bool]
) -> None:
    """Neither the first run of a case does, nor one after a run that told nothing; one after a finding does."""

    def send(request: Request, **_: Any) -> Exchange:
        return Exchange("e-9", request, Response(status), 1, 1, 2)

    seen: list[bool] = []

    def steps(stage: Stage) -> Steps[None]:
        seen.append(stage.again)
        yield from one(Request("GET", "/one", "one"))
        raise CannotTell("no more of it")

    monkeypatch.setattr(run.recorder, "send", send)
    case = Case("schema", "one", "steps", steps)
    examine.confirmed(run, BY_KEY["schema"], case, examine.driven(run, case))
    assert seen == expected
