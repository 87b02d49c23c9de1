"""What is busy for now and what is so for ever: an API that sheds load has no finding, one that never serves has."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.actors import Actors
from harness.contract import Contract
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.judge import standing
from harness.promises.http import PROMISE, SERVED
from harness.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.verdict import Verdict

SECOND_NS = 1_000_000_000
TEXT = {"type": "string", "minLength": 1, "maxLength": 40}
NEW = {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}
MADE = {"type": "object", "properties": {"id": TEXT, "name": TEXT}}
KEYED = {"header": "Idempotency-Key", "scope": "everyone"}


def document(documented: str = "503") -> dict[str, Any]:
    """Ships and crates, of which each is made and listed; what is busy is documented."""

    def one(name: str, status: str, **more: Any) -> dict[str, Any]:
        answer = {"description": "", "content": {"application/json": {"schema": MADE}}}
        return {"operationId": name, "responses": {status: answer, documented: {"description": ""}}, **more}

    taken = {"requestBody": {"required": True, "content": {"application/json": {"schema": NEW}}}}
    paths: dict[str, Any] = {
        f"/{name}": {
            "get": one(f"{name}.list", "200"),
            "post": one(f"{name}.create", "201", **taken, **{"x-promises": {"idempotency": KEYED}}),
        }
        for name in ("ships", "crates")
    }
    paths |= {
        f"/{name}/{{id}}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}],
            "get": one(f"{name}.get", "200"),
        }
        for name in ("ships", "crates")
    }
    return {
        "openapi": "3.1.0", "info": {"title": "quay", "version": "1"}, "x-promises": {"http": {}}, "paths": paths
    }  # fmt: skip


@dataclass
class Quay:
    """The API; `busy(number, now_ns, request)` says whether a request is answered 503, with this Retry-After."""

    busy: Callable[[int, int, Request], bool] = lambda _number, _now_ns, _request: False
    retry_after: str = "1"
    told: dict[str, Any] = field(default_factory=document)
    now_ns: int = SECOND_NS
    names: set[tuple[str, str]] = field(default_factory=set)
    numbers: Any = field(default_factory=itertools.count)
    paused_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.contract = Contract.read(self.told, "quay")

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, which takes ten milliseconds."""
        number, began_ns = next(self.numbers), self.now_ns
        self.now_ns += SECOND_NS // 100
        headers = (("Retry-After", self.retry_after),) if self.retry_after else ()
        shed = self.busy(number, began_ns, request)
        answer = Response(503, headers) if shed else self.answer(request, number)
        return Exchange(f"x{number}", request, answer, began_ns, began_ns, self.now_ns, case=case)

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """Requests in turn."""
        return tuple(self.send(request, case=case) for request in requests)

    def answer(self, request: Request, number: int) -> Response:
        """What an API answers that takes each name once."""
        kind = (("Content-Type", "application/json"),)
        if request.method == "GET":
            return Response(200, kind, b"{}")
        name = (request.path, request.json()["name"])
        if name in self.names:
            return Response(409)
        self.names.add(name)
        return Response(201, kind, b'{"id":"i%d"}' % number)

    def pause(self, seconds: float) -> None:
        """Time that passes at once."""
        self.paused_s.append(seconds)
        self.now_ns += round(seconds * SECOND_NS)


def driven(quay: Quay, name: str = "ships.create", seed: int = 1) -> list[Exchange]:
    """What the case sent that waits, as a history keeps it."""
    operation = quay.contract.by_id[name]
    assert PROMISE.cases is not None
    (case,) = [case for case in PROMISE.cases(quay.contract, operation, Random(seed)) if case.name == SERVED]
    stage = Stage(quay.contract, Actors({}), Random(seed), f"n{seed}")
    done = drive(case, stage, quay, sleep=quay.pause)
    assert done.reason == ""
    return [Exchange.from_record(exchange.to_record()) for exchange in done.exchanges]


def judged(quay: Quay, name: str = "ships.create") -> Verdict:
    """The verdict of that case."""
    assert PROMISE.judge is not None
    return PROMISE.judge(quay.contract, quay.contract.by_id[name], driven(quay, name))


def kinds(verdict: Verdict) -> list[tuple[str, str, str]]:
    """Code, operation and kind of each finding."""
    return [(finding.code, finding.operation, finding.kind) for finding in verdict.findings]


def of_ships(request: Request) -> bool:
    """Whether a ship is to be made."""
    return request.operation == "ships.create"


class Taking(Quay):
    """A name that is taken is 503 for ever."""

    def answer(self, request: Request, number: int) -> Response:
        """503 in place of 409."""
        told = super().answer(request, number)
        return Response(503, (("Retry-After", self.retry_after),)) if told.status == 409 else told


def never(_number: int, _now_ns: int, request: Request) -> bool:
    """No ship is ever made."""
    return of_ships(request)


def never_keyed(_number: int, _now_ns: int, request: Request) -> bool:
    """No ship is ever made by a call with a key."""
    return of_ships(request) and "Idempotency-Key" in dict(request.headers)


NAMES = st.sampled_from(["ships.create", "ships.list", "ships.get", "crates.create"])
WINDOWS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)), max_size=5)


@settings(deadline=None, max_examples=100)
@given(windows=WINDOWS, name=NAMES, retry_after=st.sampled_from(["0", "1", "2", "3", "5", "9", "600", ""]))
def test_a_server_that_is_busy_at_times_is_no_finding(
    windows: list[tuple[int, int]], name: str, retry_after: str
) -> None:
    """Whenever it is overloaded, and for however long: who answers 503 to all in that time is busy."""

    def busy(_number: int, now_ns: int, _request: Request) -> bool:
        return any(start <= now_ns / SECOND_NS <= start + long for start, long in windows)

    assert kinds(judged(Quay(busy, retry_after), name)) == []


@settings(deadline=None, max_examples=100)
@given(turns=st.lists(st.booleans(), min_size=1, max_size=4).filter(lambda turns: not all(turns)), name=NAMES)
def test_a_server_that_sheds_requests_in_turn_is_no_finding(turns: list[bool], name: str) -> None:
    """Every second request, or two of three, as where one worker of several fails: what is asked falls in with none."""
    assert kinds(judged(Quay(lambda number, _now_ns, _request: turns[number % len(turns)]), name)) == []


@settings(deadline=None, max_examples=60)
@given(times=st.integers(0, 4), keyed=st.booleans())
def test_what_is_served_in_the_end_is_no_finding(times: int, *, keyed: bool) -> None:
    """A request that is served when it comes for the fifth time at last was waited for."""
    seen: dict[bytes, int] = {}

    def busy(_number: int, _now_ns: int, request: Request) -> bool:
        shed = never_keyed if keyed else never
        if not shed(0, 0, request):
            return False
        seen[request.body or b""] = seen.get(request.body or b"", 0) + 1
        return seen[request.body or b""] <= times

    verdict = judged(Quay(busy))
    assert kinds(verdict) == []
    assert (verdict.examined, verdict.reason) == (3, "") or (times and not keyed)


@settings(deadline=None, max_examples=30)
@given(retry_after=st.sampled_from(["0", "1", "2", "3", "4", "5"]), gap_s=st.integers(0, 3))
def test_what_is_never_served_is_found(retry_after: str, gap_s: int) -> None:
    """A write, a name that is taken, a call with a key: each is found by its own words, and shown by five answers."""
    for quay, word in (
        (Quay(never, retry_after), "valid"),
        (Taking(retry_after=retry_after), "taken"),
        (Quay(never_keyed, retry_after), "keyed"),
    ):
        quay.now_ns += gap_s * SECOND_NS
        verdict = judged(quay)
        assert kinds(verdict) == [("http.never-served", "ships.create", f"served {word}")]
        assert len(verdict.findings[0].witnesses) == 5
        assert min(quay.paused_s) >= float(retry_after)
        assert kinds(judged(quay, "crates.list")) == []


def test_the_history_shows_it_too() -> None:
    """What the case sent beside its operation is judged with it, so that the whole history says the same."""
    quay = Quay(never)
    found = [verdict for verdict in standing(quay.contract, driven(quay)) if verdict.promise == "http"]
    assert [kind for verdict in found for kind in kinds(verdict)] == [
        ("http.never-served", "ships.create", "served valid")
    ]


@pytest.mark.parametrize("other", [500, 503])
def test_where_another_fails_too_nothing_is_told(other: int) -> None:
    """A server that fails elsewhere in that time, or serves the operation for others, is not broken for this alone."""
    quay = Quay(never)
    sent = driven(quay)
    middle = sent[0].done_ns + SECOND_NS
    request = Request("GET", "/crates", "crates.list")
    failed = Exchange("y", request, Response(other), middle, middle, middle + 1, case="fuzz/ann")
    made = Exchange("y", sent[0].request, Response(201), middle, middle, middle + 1, case="fuzz/ann")
    assert PROMISE.judge is not None
    operation = quay.contract.by_id["ships.create"]
    assert [kinds(PROMISE.judge(quay.contract, operation, [*sent, item])) for item in (failed, made)] == [[], []]


@pytest.mark.parametrize("retry_after", ["6", "3600", "", "soon"])
def test_what_cannot_be_waited_for_is_let_be(retry_after: str) -> None:
    """A time that is longer than there is, or none: the call is not sent again."""
    quay = Quay(never, retry_after)
    assert (kinds(judged(quay)), quay.paused_s) == ([], [])


@pytest.mark.parametrize("documented", ["default", "500"])
def test_what_is_not_documented_is_a_server_error_and_not_waited_for(documented: str) -> None:
    """Without a documented 503 there is no case."""
    contract = Contract.read(document(documented), "quay")
    assert PROMISE.cases is not None
    cases = PROMISE.cases(contract, contract.by_id["ships.create"], Random(1))
    assert SERVED not in {case.name for case in cases}
