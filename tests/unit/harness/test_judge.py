"""A stored history is judged by the standing promises; a finding is shown again by its case or its requests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness import examine, judge
from harness.actors import Actors
from harness.case import Case, one
from harness.contract import Contract
from harness.drivers.fuzz.engine import Failed
from harness.drivers.fuzz.judgement import judged
from harness.exchange import Exchange, Request, Response
from harness.finding import Confirmation, Finding, Reproduction, Severity
from harness.identities import Identity
from harness.promises.catalogue import BY_KEY
from harness.replay import Answer, _answered
from harness.run import Attachment, Run, freeze
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from harness.case import Steps
    from harness.stage import Stage

CONTRACT = Contract(
    {
        "openapi": "3.1.0",
        "info": {"title": "One", "version": "1"},
        "x-promises": {"headers": {"X-Request-ID": {}}},
        "paths": {
            f"/{name}": {"get": {"operationId": name, "responses": {"200": {"description": "fine"}}}}
            for name in ("one", "two")
        },
    }
)
NAMED = (("X-Request-ID", "a"),)


def exchange(
    number: int, status: int = 200, headers: tuple[tuple[str, str], ...] = (), operation: str = "one"
) -> Exchange:
    """One answer to GET /one."""
    request = Request("GET", "/one", operation)
    return Exchange(
        f"e-{number}", request, Response(status, headers), number, number, number, case="schema/one/survey#1"
    )


@pytest.fixture
def answering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Sequence[Response]], Run]]:
    """A run whose target gives the answers in turn, the last one for ever."""
    freeze(CONTRACT, tmp_path)
    attachment = Attachment(str(tmp_path), "http://127.0.0.1:9", 7, {}, {})
    with Run(attachment, "judge", contract=CONTRACT) as run:

        def give(answers: Sequence[Response]) -> Run:
            left = list(answers)

            def send(request: Request, **_: Any) -> Exchange:
                answer = left.pop(0) if len(left) > 1 else left[0]
                return replace(exchange(1), request=request, response=answer)

            monkeypatch.setattr(run.recorder, "send", send)
            return run

        yield give


def missing() -> Finding:
    """What the answers without the header show."""
    found = [item for verdict in judge.standing(CONTRACT, [exchange(1)]) for item in verdict.findings]
    return next(item for item in found if item.code == "headers.missing")


def test_every_exchange_is_judged_under_its_operation() -> None:
    """Findings stand under the operation; an exchange of none is judged too."""
    verdicts = judge.standing(CONTRACT, [exchange(1, headers=NAMED), exchange(2), exchange(3, operation="")])
    headers = {verdict.operation: verdict for verdict in verdicts if verdict.promise == "headers"}
    assert headers["one"].examined == 2
    assert [item.witnesses for item in headers["one"].findings] == [("e-2",)]
    assert headers[""].findings
    assert {verdict.driver for verdict in verdicts} == {"judge"}


def test_nothing_recorded_is_nothing_judged() -> None:
    """An empty history gives no verdict, and so no pass."""
    assert judge.standing(CONTRACT, []) == []


def test_a_finding_is_given_its_case_and_its_requests() -> None:
    """The case is that of the first witness, the steps are what leads to it."""
    history = [exchange(1), exchange(2)]
    whole = judge.reproducible(missing(), history, {item.id: item for item in history})
    assert whole.reproduction.case == "schema/one/survey"
    assert [step["path"] for step in whole.reproduction.steps] == ["/one"]
    assert whole.fingerprint == missing().fingerprint


def test_a_second_sight_confirms(answering: Callable[[Sequence[Response]], Run]) -> None:
    """Where fresh data show it too the finding is confirmed, where they do not it stays as it was."""
    history = [exchange(1)]
    finding = replace(judge.reproducible(missing(), history, {"e-1": history[0]}), confirmation=Confirmation.SEEN_ONCE)
    finding = replace(finding, reproduction=replace(finding.reproduction, case=""))
    assert judge.confirmed(answering([Response(200)]), finding).confirmation is Confirmation.CONFIRMED
    assert judge.confirmed(answering([Response(200, NAMED)]), finding).confirmation is Confirmation.SEEN_ONCE


def test_a_fault_beside_a_cases_operation_is_judged_there(answering: Callable[[Sequence[Response]], Run]) -> None:
    """A case of another operation that shows it again is judged by the calls of the finding's own."""
    case = Case("headers", "two", "asks", lambda stage: one(stage.request("one")))
    verdict = examine.once(answering([Response(200)]), BY_KEY["headers"], case, beside="one")
    assert [(item.code, item.operation) for item in verdict.findings] == [("headers.missing", "one")]
    assert examine.once(answering([Response(200)]), BY_KEY["headers"], case, beside="two").examined == 0


def test_one_that_watches_is_judged_beside_a_cases_operation_too(
    answering: Callable[[Sequence[Response]], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A promise with cases of its own that judges every exchange shows again what another's case showed."""
    case = Case("headers", "two", "asks", lambda stage: one(stage.request("one")))
    monkeypatch.setattr(judge, "case_again", lambda *_: (BY_KEY["http"], case))
    sized = Response(204, (*NAMED, ("Content-Length", "2")))
    run = answering([sized])
    run.contract = Contract({**CONTRACT.document, "x-promises": {"http": {}}})
    (finding,) = examine.once(run, BY_KEY["http"], case, beside="one").findings
    assert finding.code == "http.content"
    assert judge.again(run, finding).findings == (finding,)


def test_what_is_called_once_a_process_tells_by_its_first_drive(
    answering: Callable[[Sequence[Response]], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later drives in which the call does not come again take nothing from what the first examined."""
    left = ["two"]

    def steps(stage: Stage) -> Steps[None]:
        if left:
            yield stage.request(left.pop())

    case = Case("headers", "one", "prepares", steps)
    monkeypatch.setattr(judge, "case_again", lambda *_: (BY_KEY["headers"], case))
    verdict = judge.again(answering([Response(200, NAMED)]), replace(missing(), operation="two"))
    assert (verdict.examined, verdict.findings, verdict.reason) == (1, (), "")


def test_a_finding_without_requests_cannot_be_shown(answering: Callable[[Sequence[Response]], Run]) -> None:
    """The reason says so."""
    verdict = judge.again(answering([Response(200)]), replace(missing(), reproduction=Reproduction()))
    assert (verdict.examined, verdict.reason) == (0, "the finding has no sequence of requests to send again")


@pytest.mark.parametrize(
    ("answers", "examined", "found", "reason"),
    [
        ([201, 500], 1, True, ""),
        ([201, 200], 1, False, ""),
        ([404, 500], 0, False, "the steps before it answered [404], not [201]"),
    ],
    ids=["again", "mended", "never-came-so-far"],
)
def test_a_fuzzed_finding_is_told_by_its_statuses(
    answering: Callable[[Sequence[Response]], Run],
    answers: list[int],
    examined: int,
    found: bool,  # noqa: FBT001 - a column of the table
    reason: str,
) -> None:
    """The last status decides; where the steps before it go another way, nothing can be told."""
    history = [replace(exchange(1, 201), case="fuzz/a"), replace(exchange(2, 500), case="fuzz/a")]
    told = Finding("fuzz.server_error", "fails", Severity.HIGH, "one", witnesses=("e-1", "e-2"))
    whole = judge.reproducible(told, history, {item.id: item for item in history})
    run = answering([Response(status) for status in answers])
    verdict = judge.again(run, whole, attempts=1)
    assert (verdict.examined, bool(verdict.findings), verdict.reason) == (examined, found, reason)


@pytest.mark.parametrize(
    ("answer", "examined", "found"),
    [
        (Response(405), 1, True),
        (Response(405, (("Allow", "GET"),)), 1, False),
        (Response(404), 1, False),
        (Response(503), 0, False),
    ],
    ids=["again", "mended", "another-refusal", "down"],
)
def test_a_fuzzed_finding_is_told_by_its_mark(
    answering: Callable[[Sequence[Response]], Run],
    answer: Response,
    examined: int,
    found: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """A 405 that has its Allow now is mended though the status is as it was; a failing target tells nothing."""
    probe = replace(exchange(1, 405), request=Request("PATCH", "/one"), case="fuzz/a")
    told = judged(CONTRACT, Failed("unsupported_method", "GET", "/one", ("c",), {"method": "PATCH"}), [probe], [])
    assert told is not None
    whole = judge.reproducible(told, [probe], {probe.id: probe})
    verdict = judge.again(answering([answer]), whole, attempts=1)
    assert (verdict.examined, bool(verdict.findings), bool(verdict.reason)) == (examined, found, not examined)


def test_what_makes_an_identity_is_no_step(answering: Callable[[Sequence[Response]], Run]) -> None:
    """Where an identity is had by a login first, its answer is not taken for a step's."""
    who = Identity("ada", ("user",))
    probe = replace(exchange(1, 500), request=Request("GET", "/one", "one", identity=who), case="fuzz/a")
    told = Finding("fuzz.server_error", "fails", Severity.HIGH, "one", witnesses=("e-1",))
    run = answering([Response(200, (), b'{"token": "abcdefgh"}'), Response(500)])
    login = {"operation": "one", "token": "/token"}
    run.actors = Actors({"login": login, "known": [{"name": "bo", "roles": ["user"], "login": {"name": "bo"}}]})
    verdict = judge.again(run, judge.reproducible(told, [probe], {probe.id: probe}), attempts=1)
    assert (verdict.reason, len(verdict.findings)) == ("", 1)


@pytest.mark.parametrize(
    ("verdict", "answer", "code"),
    [
        (Verdict("headers", "one", 1, (missing(),)), Answer.STILL_FAILS, 1),
        (Verdict("headers", "one", 3), Answer.FIXED, 0),
        (Verdict("headers", "one", 3, (replace(missing(), kind="another"),)), Answer.FIXED, 0),
        (Verdict("headers", "one", 3, reason="a 503 came between"), Answer.CANNOT_TELL, 4),
        (Verdict("headers", "one"), Answer.CANNOT_TELL, 4),
    ],
)
def test_what_a_replay_says(verdict: Verdict, answer: Answer, code: int) -> None:
    """The same fault is STILL FAILS; FIXED needs observations and no doubt; all else is CANNOT TELL."""
    replayed = _answered(missing(), verdict)
    assert (replayed.answer, replayed.answer.exit_code) == (answer, code)
    assert replayed.reason


def test_what_was_planted_for_a_list_is_among_the_steps() -> None:
    """A page says nothing of a fault without what was made for its list, in its case and before its last page."""

    def told(number: int, step: str, case: str, status: int = 201) -> Exchange:
        made = replace(exchange(number, status), case=case)
        return replace(made, request=replace(made.request, step=step), sent_ns=number)

    own, other = "page/one/walk#1", "page/one/walk#2"
    history = [
        told(1, "planted|0", own),
        told(2, "planted|0", other),
        told(3, "planted|1", own, 409),
        told(4, "walk|whole|1", own, 200),
        told(5, "planted|2", own),
    ]
    finding = Finding("page.missing", "lost", Severity.HIGH, "one", witnesses=("e-4",))
    by_id = {item.id: item for item in history}
    whole = judge.reproducible(finding, history, by_id)
    assert [step["step"] for step in whole.reproduction.steps] == ["planted|0", "walk|whole|1"]
    elsewhere = judge.reproducible(replace(finding, code="schema.body"), history, by_id)
    assert [step["step"] for step in elsewhere.reproduction.steps] == ["walk|whole|1"]
