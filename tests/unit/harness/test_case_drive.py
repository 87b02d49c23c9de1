"""A case is tested without a network: what answers it is a table."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import things
from harness.actors import Actors
from harness.case import Case, Pause, Steps, one, together, wait_of
from harness.contract import Contract
from harness.contract.resource import Resource
from harness.drive import CUT_SHORT, MAX_STEPS, MAX_WAITED_S, drive
from harness.errors import CannotTell
from harness.exchange import LONGEST_S, Exchange, Request, Response
from harness.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {"/counter": {"post": {"operationId": "counter.raise", "responses": {"200": {"description": "ok"}}}}},
}


class Table:
    """Answers requests from a list of statuses, and keeps what it was asked."""

    def __init__(self, *answers: int, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.answers: Iterator[int] = iter(answers)
        self.headers = headers
        self.asked: list[tuple[str, ...]] = []

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """Answers one."""
        return self.release((request,), case=case)[0]

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """Answers each in order."""
        self.asked.append(tuple(request.step for request in requests))
        return tuple(
            Exchange(f"t-{request.step}", request, Response(next(self.answers), self.headers), 0, 0, 0, case=case)
            for request in requests
        )


@pytest.fixture
def stage() -> Stage:
    """A stage over a contract of one operation."""
    return Stage(Contract.read(DOCUMENT, "t"), Actors({}), Random(0), "abcd")


def case(steps: Callable[[Stage], Steps[None]], promise: str = "version") -> Case:
    """A case of these steps."""
    return Case(promise, "counter.raise", "n", steps)


def asking(*names: str) -> Callable[[Stage], Steps[None]]:
    """Steps that send one request a name."""

    def steps(stage: Stage) -> Steps[None]:
        for name in names:
            yield from one(stage.request("counter.raise", step=name))

    return steps


def test_a_case_is_stepped_to_its_end(stage: Stage) -> None:
    """Each request is sent once in order, under the case's key and run, and its exchange kept."""
    table = Table(200, 404)
    driven = drive(case(asking("a", "b")), stage, table, run=2)
    assert table.asked == [("a",), ("b",)]
    assert [(exchange.status, exchange.case) for exchange in driven.exchanges] == [
        (200, "version/counter.raise/n#2"),
        (404, "version/counter.raise/n#2"),
    ]
    assert driven.reason == ""


def test_a_case_adapts_to_what_came(stage: Stage) -> None:
    """What a case sends next may depend on the answer that it received."""

    def steps(stage: Stage) -> Steps[None]:
        first = yield from one(stage.request("counter.raise", step="first"))
        yield from one(stage.request("counter.raise", step="refused" if first.status == 409 else "taken"))

    for status, expected in ((409, "refused"), (200, "taken")):
        table = Table(status, 200)
        drive(case(steps), stage, table)
        assert table.asked == [("first",), (expected,)]


def test_a_group_is_released_together(stage: Stage) -> None:
    """Requests yielded together are handed on in one call, and answered in their order."""
    seen: list[int] = []

    def steps(stage: Stage) -> Steps[None]:
        answers = yield from together(tuple(stage.request("counter.raise", step=name) for name in "abc"))
        seen.extend(exchange.status for exchange in answers)

    table = Table(200, 409, 500)
    drive(case(steps), stage, table)
    assert table.asked == [("a", "b", "c")]
    assert seen == [200, 409, 500]


def test_a_pause_passes_in_the_given_sleep(stage: Stage) -> None:
    """A pause sends nothing; how time passes is the driver's."""
    slept: list[float] = []

    def steps(_: Stage) -> Steps[None]:
        yield Pause(2.5)

    assert drive(case(steps), stage, Table(), sleep=slept.append).exchanges == []
    assert slept == [2.5]


def test_a_429_is_waited_out(stage: Stage) -> None:
    """A request that a rate limit refuses is sent again after Retry-After, and only its last exchange counts."""
    slept: list[float] = []
    driven = drive(case(asking("a")), stage, Table(429, 429, 200, headers=(("Retry-After", "3"),)), sleep=slept.append)
    assert [exchange.status for exchange in driven.exchanges] == [200]
    assert (slept, driven.paced) == ([3.0, 3.0], 2)


def test_set_up_that_stays_at_a_rate_limit_says_so(stage: Stage) -> None:
    """What a 429 still refuses after all the waits was not refused for its body, and the reason tells the limit."""
    resource = Resource("counter", create="counter.raise")

    def made(stage: Stage) -> Steps[None]:
        yield from things.make(stage, resource)

    people = {"register": {"operation": "counter.raise"}, "login": {"operation": "counter.raise", "body": {}}}
    stages = (stage, Stage(stage.contract, Actors(people), Random(0), "abcd"))
    for own, steps in zip(stages, (made, registered), strict=True):
        slept: list[float] = []
        driven = drive(case(steps), own, Table(*[429] * 99), sleep=slept.append)
        assert driven.reason == "counter.raise stayed at its rate limit (429) for longer than can be waited"
        assert (slept, sum(slept), driven.paced) == ([1, 2, 4, 8, 16, 29], MAX_WAITED_S, 6)


@given(st.lists(st.integers(0, 90), min_size=1), st.floats(0, 200))
def test_a_429_is_waited_out_for_a_minute_and_no_longer(told_s: list[int], limit_s: float) -> None:
    """No wait is shorter than told or than the one before it doubled, but the last; all are within what there is."""

    class Telling(Table):
        """Refuses for ever, and says another time each time."""

        def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
            self.headers = (("Retry-After", str(told_s[len(self.asked) % len(told_s)])),)
            return super().release(requests, case=case)

    slept: list[float] = []
    own = Stage(Contract.read(DOCUMENT, "t"), Actors({}), Random(0), "abcd")
    driven = drive(case(asking("a")), own, Telling(*[429] * 99), sleep=slept.append, limit_s=limit_s)
    assert driven.paced == len(slept) < 8
    assert sum(slept) <= min(limit_s, MAX_WAITED_S)
    for number, waited in enumerate(slept[:-1]):
        assert waited == max(told_s[number % len(told_s)], 2.0**number)


NOW_S = 1_792_497_600.0
LATER = "Tue, 20 Oct 2026 12:00:30 GMT"


@pytest.mark.parametrize(
    ("headers", "told_s"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": "²"}, None),
        ({"Retry-After": "٣"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "9" * 5000}, LONGEST_S),
        ({"Retry-After": LATER}, 30.0),
        ({"Retry-After": "Tuesday, 20-Oct-26 12:00:30 GMT"}, 30.0),
        ({"Retry-After": "Tue Oct 20 12:00:30 2026"}, 30.0),
        ({"Retry-After": LATER, "Date": "Tue, 20 Oct 2026 12:00:20 GMT"}, 10.0),
        ({"Retry-After": LATER, "Date": "today"}, 30.0),
        ({"Retry-After": "Tue, 20 Oct 2026 11:00:00 GMT"}, 0.0),
        ({"Retry-After": "Tue, 20 Oct 2026 12:00:00 +99999999999999"}, None),
    ],
)
def test_when_to_come_again(headers: dict[str, str], told_s: float | None) -> None:
    """Retry-After is seconds or a date by the server's clock (RFC 9110, 10.2.3); what is neither tells nothing."""
    answer = Response(429, tuple(headers.items()))
    exchange = Exchange("x", Request("GET", "/"), answer, 0, 0, 0, wall_s=NOW_S)
    assert exchange.retry_after_s == told_s
    assert wait_of(exchange) == max(1.0, told_s or 0.0)


@given(st.text())
def test_no_text_of_a_header_is_an_error(text: str) -> None:
    """What a server writes into Retry-After and Date is read or is not; it never ends a run."""
    answer = Response(429, (("Retry-After", text), ("Date", text)))
    told_s = Exchange("x", Request("GET", "/"), answer, 0, 0, 0).retry_after_s
    assert told_s is None or 0 <= told_s <= LONGEST_S


@pytest.mark.parametrize(("told", "limit_s", "waited"), [(3600, math.inf, []), (20, 10.0, []), (40, math.inf, [40.0])])
def test_a_429_is_not_waited_out_for_longer_than_there_is(
    stage: Stage, told: int, limit_s: float, waited: list[float]
) -> None:
    """A Retry-After past what a case may wait, or has left, is not begun to be waited for, and the reason tells it."""
    slept: list[float] = []

    def steps(stage: Stage) -> Steps[None]:
        yield from things.make(stage, Resource("counter", create="counter.raise"))

    table = Table(*[429] * 9, headers=(("Retry-After", str(told)),))
    driven = drive(case(steps), stage, table, sleep=slept.append, limit_s=limit_s)
    assert slept == waited
    assert driven.reason.endswith(f"for longer than can be waited; it says to come again after {told} s")


def registered(stage: Stage) -> Steps[None]:
    """Steps that register an identity."""
    yield from stage.actors.with_role(stage)


def test_a_429_is_what_a_rate_limit_case_wants(stage: Stage) -> None:
    """Where exhausting a limit is the purpose, a 429 is the answer."""
    driven = drive(case(asking("a"), "rate-limit"), stage, Table(429), sleep=lambda _: pytest.fail("it waited"))
    assert [exchange.status for exchange in driven.exchanges] == [429]


def test_what_cannot_be_had_is_the_reason(stage: Stage) -> None:
    """A case that cannot go on ends with its reason, and keeps what it had."""

    def steps(stage: Stage) -> Steps[None]:
        yield from one(stage.request("counter.raise", step="a"))
        raise CannotTell("no second tenant can be had")

    driven = drive(case(steps), stage, Table(200))
    assert driven.reason == "no second tenant can be had"
    assert len(driven.exchanges) == 1


def test_a_case_without_end_is_stopped(stage: Stage) -> None:
    """A case that never ends is given up, closed, and says so."""
    closed = []

    def steps(_: Stage) -> Steps[None]:
        try:
            while True:
                yield Pause(0)
        finally:
            closed.append(True)

    driven = drive(case(steps), stage, Table(), sleep=lambda _: None)
    assert driven.reason == f"the case did not end within {MAX_STEPS} steps"
    assert closed == [True]


def test_a_case_sends_no_more_than_its_time_holds(stage: Stage) -> None:
    """With a limit that is over, the case is left before its next request, closed, and the reason is told."""
    driven = drive(case(asking("a", "b")), stage, Table(200, 200), limit_s=-1.0)
    assert (driven.exchanges, driven.reason) == ([], CUT_SHORT)
