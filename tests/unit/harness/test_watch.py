"""What a case sent is judged by the promises over every exchange when it ends, and shown again at once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.case import Case, one
from harness.contract import Contract
from harness.drive import Driven
from harness.exchange import ENDLESS, Exchange, Request, Response
from harness.finding import Confirmation
from harness.run import Attachment, Run, freeze, verdicts
from harness.watch import LONGEST_S, OF_A_CODE, Watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.case import Steps
    from harness.stage import Stage

NAMES = ("one", "two", "three", "four", "five")
CONTRACT = Contract(
    {
        "openapi": "3.1.0",
        "info": {"title": "Many", "version": "1"},
        "x-promises": {"headers": {"X-Request-ID": {}}},
        "paths": {
            f"/{name}": {"get": {"operationId": name, "responses": {"200": {"description": "fine"}}}} for name in NAMES
        },
    }
)
GOOD, BAD = Response(200, (("X-Request-ID", "a"),)), Response(200)


class Target:
    """Answers in turn as it is told, the last for ever."""

    def __init__(self) -> None:
        self.answers = [GOOD]
        self.sent = 0

    def send(self, request: Request, *, case: str = "", **_: Any) -> Exchange:
        """The next answer."""
        self.sent += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Exchange(f"e-{self.sent}", request, answer, self.sent, self.sent, self.sent, case=case)


@pytest.fixture
def target() -> Target:
    """What answers."""
    return Target()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: Target) -> Iterator[Run]:
    """A run against the target."""
    freeze(CONTRACT, tmp_path)
    with Run(Attachment(str(tmp_path), "http://127.0.0.1:9", 7, {}, {}), "pytest", contract=CONTRACT) as run:
        monkeypatch.setattr(run.recorder, "send", target.send)
        yield run


def calling(*names: str) -> Case:
    """A case of a promise of `one` that calls those operations."""

    def steps(stage: Stage) -> Steps[None]:
        for name in names:
            yield stage.request(name)

    return Case("delete", "one", "calls", steps)


def driven(target: Target, case: Case, answers: list[Response]) -> Driven:
    """A case that was answered so."""
    target.answers = answers
    sent = [target.send(Request("GET", f"/{name}", name), case=f"{case.key}#1") for name in NAMES[: len(answers)]]
    return Driven(sent)


def test_a_fault_at_another_operation_is_told_at_once(run: Run, target: Target, tmp_path: Path) -> None:
    """It is shown again by its case, and told under its operation."""
    case = calling("one", "two")
    shown = driven(target, case, [GOOD, BAD])
    target.answers = [GOOD, BAD]
    (told,) = Watch(run).look(case, shown)
    assert verdicts(tmp_path) == [told]
    (finding,) = told.findings
    assert (told.promise, told.operation, finding.code) == ("headers", "two", "headers.missing")
    assert finding.confirmation is Confirmation.CONFIRMED
    assert finding.reproduction.case == case.key


def test_what_does_not_show_again_is_left_to_the_runs_end(run: Run, target: Target, tmp_path: Path) -> None:
    """Nothing is told of it now; it was driven again as often as any finding is."""
    case = calling("one", "two")
    shown = driven(target, case, [GOOD, BAD])
    target.answers, target.sent = [GOOD], 0
    assert Watch(run).look(case, shown) == ()
    assert verdicts(tmp_path) == []
    assert target.sent == 2 * 2


def test_it_is_shown_once(run: Run, target: Target) -> None:
    """What was told by its own promise, or before, is not driven again."""
    case = calling("one", "two")
    shown = driven(target, case, [GOOD, BAD])
    first = Watch(run)
    target.answers = [BAD]
    (told,) = first.look(case, shown)
    second = Watch(run)
    second.told(told.findings)
    target.sent = 0
    assert first.look(case, shown) == second.look(case, shown) == ()
    assert target.sent == 0


def test_few_of_a_code_are_shown_at_once(run: Run, target: Target) -> None:
    """An API that breaks one promise everywhere does not use up the time of the other promises."""
    case = calling(*NAMES)
    shown = driven(target, case, [BAD] * len(NAMES))
    assert len(Watch(run).look(case, shown)) == OF_A_CODE < len(NAMES)


def test_a_sound_target_is_asked_nothing_more(run: Run, target: Target) -> None:
    """What shows no fault costs no request."""
    case = calling(*NAMES)
    shown = driven(target, case, [GOOD] * len(NAMES))
    target.sent = 0
    assert Watch(run).look(case, shown) == ()
    assert target.sent == 0


def test_a_fault_at_no_operation_is_told_with_its_request(run: Run, target: Target) -> None:
    """Its case is of another operation, which does not show it: the request by itself does."""

    def steps(_: Stage) -> Steps[None]:
        yield Request("PATCH", "/two", "")

    case = Case("http", "one", "answers", steps)
    target.answers = [Response(405)]
    shown = Driven([target.send(Request("PATCH", "/two", ""), case=f"{case.key}#1")])
    ((told,),) = (verdict.findings for verdict in Watch(run).look(case, shown))
    assert (told.code, told.operation, told.reproduction.case) == ("headers.missing", "two", "")
    assert [(step["method"], step["path"]) for step in told.reproduction.steps] == [("PATCH", "/two")]


def test_what_was_not_asked_for_is_not_told(run: Run, target: Target) -> None:
    """A run of some promises or operations is not failed by others."""
    case = calling("one", "two")
    shown = driven(target, case, [BAD, BAD])
    run.attachment = replace(run.attachment, only=("one",))
    ((told,),) = (verdict.findings for verdict in Watch(run).look(case, shown))
    assert told.operation == "one"


@pytest.mark.parametrize("left", ["long", "endless", "exhausting"])
def test_what_takes_long_is_left_to_the_runs_end(run: Run, target: Target, left: str) -> None:
    """A case that took long, whose answers do not end or that uses something up is not driven again at once."""
    case = calling("one")
    shown = driven(target, case, [BAD])
    if left == "long":
        shown.seconds = LONGEST_S + 1
    elif left == "endless":
        shown.exchanges = [replace(exchange, error=ENDLESS) for exchange in shown.exchanges]
    else:
        case = replace(case, promise="rate-limit")
    target.sent = 0
    assert Watch(run).look(case, shown) == ()
    assert target.sent == 0


def test_no_secret_stands_in_the_requests_that_show_it(run: Run, target: Target) -> None:
    """What a history would mask is masked in the sequence that is cut out of a case."""
    asked = Request("PATCH", "/two", "", query=(("token", "very-secret-token"),))
    case = Case("http", "one", "answers", lambda _: one(asked))
    target.answers = [Response(405)]
    (told,) = Watch(run).look(case, Driven([target.send(asked, case=f"{case.key}#1")]))
    assert told.findings
    assert "very-secret-token" not in json.dumps(told.to_record())
