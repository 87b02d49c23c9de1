"""The promise `credentials`, where it says that a token is good for one use: at a desk that trades tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.actors import Actors
from harness.cell import CellState
from harness.contract import Contract
from harness.contract.overlay import applied
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.promises.annotations import problems
from harness.promises.catalogue import PROMISES
from harness.promises.credentials import PROMISE
from harness.stage import Stage
from harness.verdict import Status, Verdict
from tests.repo.sources import blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TEXT = {"type": "string", "minLength": 1}
PEOPLE: dict[str, Any] = {
    "register": {"operation": "register", "body": {"name": "{name}", "password": "{password}"}},
    "login": {"operation": "login", "body": {"name": "{name}", "password": "{password}"}, "token": "/access"},
}
ONCE = {
    "token": "/refreshToken",
    "next": "/pair/next",
    "given": "login",
    "at": "/refreshToken",
    "family": True,
    "refused": 401,
}
TICKET = {"token": "/refreshToken", "given": "ticket", "at": "/ticket"}
FOUND = "credentials.taken"


def _operation(name: str, body: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": body, "required": list(body or {}), "additionalProperties": False}
    sent = {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}} if body else {}
    return {"post": {"operationId": name, "responses": {"200": {"description": ""}}, **sent, **more}}


def document(once: dict[str, Any]) -> dict[str, Any]:
    """The desk: a login gives a pair, a trade the next one; a ticket is for whoever is signed in."""
    person, traded = {"name": TEXT, "password": TEXT}, {"refreshToken": TEXT, "kind": {"enum": ["a", "b"]}}
    promises = {"credentials": {"invalid": 401, "once": once}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "desk", "version": "1"},
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "paths": {
            "/register": _operation("register", person),
            "/login": _operation("login", person),
            "/ticket": _operation("ticket", security=[{"bearer": []}]),
            "/tokens/refresh": _operation("trade", traded, **{"x-promises": promises}),
        },
    }


@dataclass
class Desk:
    """Tokens by session; one that comes again ends its session. A fault is of the manner or of single requests."""

    manner: str = ""
    once: dict[str, Any] = field(default_factory=lambda: ONCE)
    fault: Callable[[Request], str | int] = lambda _request: ""
    live: dict[str, str] = field(default_factory=dict)
    spent: dict[str, str] = field(default_factory=dict)
    sent: list[Request] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        self.contract = Contract.read(document(self.once), "desk")

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        self.sent.append(request)
        fault = self.fault(request)
        answer = Response(fault) if isinstance(fault, int) else self._answer(request)
        number = len(self.sent)
        return Exchange(f"d{number}", request, None if fault == "lost" else answer, 0, 0, 0, case=case)

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """One after the other; a desk that looks before it writes takes all of them."""
        if self.manner == "races":
            session = self.live[requests[0].json()["refreshToken"]]
            found = []
            for request in requests:
                self.live[request.json()["refreshToken"]] = session
                self.spent.clear()
                found.append(self.send(request, case=case))
            return tuple(found)
        return tuple(self.send(request, case=case) for request in requests)

    def _new(self, session: str) -> str:
        self.count += 1
        self.live[f"token-{self.count}"] = session
        return f"token-{self.count}"

    def _answer(self, request: Request) -> Response:
        name, body = request.operation, request.json() or {}
        if name == "register":
            return Response(201)
        if name == "login":
            return _json(200, {"access": f"access-{body['name']}", "refreshToken": self._new(body["name"])})
        if name == "ticket":
            return _json(200, {"ticket": self._new("ticket")} if request.identity.headers else {})
        return self._traded(body["refreshToken"])

    def _traded(self, token: str) -> Response:
        if token in self.spent and self.manner == "takes spent":
            return self._pair(self.spent[token])
        if token in self.spent and self.manner == "says sorry":
            return _json(200, {"error": "spent"})
        if token in self.spent and self.manner != "keeps family":
            self.live = {key: session for key, session in self.live.items() if session != self.spent[token]}
        if token not in self.live:
            return Response(400 if self.manner == "other status" else 401)
        self.spent[token] = self.live.pop(token)
        return self._pair(self.spent[token])

    def _pair(self, session: str) -> Response:
        token = self._new(session)
        return _json(200, {"refreshToken": token, "pair": {"next": token}})


def _json(status: int, value: Any) -> Response:
    return Response(status, (("Content-Type", "application/json"),), json.dumps(value).encode())


def examined(desk: Desk, people: Any = PEOPLE, seed: int = 1) -> Verdict:
    """The verdict of the cases of a spent token, each judged from what a history would keep."""
    operation = desk.contract.by_id["trade"]
    assert PROMISE.cases is not None
    assert PROMISE.judge is not None
    findings, reasons, cells, count = {}, [], [], 0
    for case in PROMISE.cases(desk.contract, operation, Random(seed)):
        if not case.name.startswith("spent"):
            continue
        stage = Stage(desk.contract, Actors(people), Random(seed), f"n{seed}{case.name}")
        driven = drive(case, stage, desk, sleep=lambda _seconds: None)
        kept = [Exchange.from_record(json.loads(json.dumps(item.to_record()))) for item in driven.exchanges]
        verdict = PROMISE.judge(desk.contract, operation, kept)
        findings |= {(finding.code, finding.kind): finding for finding in verdict.findings}
        reasons += list(filter(None, (driven.reason, verdict.reason)))
        cells += verdict.cells
        count += verdict.examined
    return Verdict(PROMISE.key, "trade", count, tuple(findings.values()), "; ".join(reasons), cells=tuple(cells))


def kinds(desk: Desk) -> set[tuple[str, str]]:
    """Code and kind of what is found."""
    return {(finding.code, finding.kind) for finding in examined(desk).findings}


@pytest.mark.parametrize("once", [ONCE, TICKET, {**ONCE, "with": {"/kind": "b"}}])
@given(seed=st.integers(0, 999))
def test_kept(once: dict[str, Any], seed: int) -> None:
    """A desk that takes each token once passes, by a login's tokens and by those of another operation."""
    desk = Desk(once=once)
    verdict = examined(desk, seed=seed)
    assert (verdict.status, verdict.findings, verdict.reason) == (Status.PASS, (), "")
    assert verdict.examined == (3 if "family" in once else 2)
    assert [(cell.identity, cell.state) for cell in verdict.cells] == [("spent", CellState.HELD)]
    trades = [request for request in desk.sent if request.operation == "trade"]
    assert all(request.json()["kind"] == "b" for request in trades) or "with" not in once


@pytest.mark.parametrize(
    ("manner", "expected"),
    [
        ("takes spent", {(FOUND, "spent"), (FOUND, "spent at one instant")}),
        ("keeps family", {(FOUND, "after a reuse")}),
        ("races", {(FOUND, "spent at one instant")}),
        ("other status", {("credentials.status", "spent")}),
    ],
)
def test_broken(manner: str, expected: set[tuple[str, str]]) -> None:
    """Each fault is found by its kind: a token that is good twice, later or at once, and a session that outlives it."""
    assert kinds(Desk(manner)) == expected


@pytest.mark.parametrize("manner", ["keeps family", "other status"])
def test_only_what_is_promised_is_asked_for(manner: str) -> None:
    """Where neither the session's end nor a status is promised, a desk may do either."""
    once = {name: ONCE[name] for name in ("token", "next", "given", "at")}
    assert kinds(Desk(manner, once)) == set()


def test_the_example_of_the_page_is_examined() -> None:
    """What the page's overlay promises is kept by a desk that takes each token once; one that does not is caught."""
    _, block = blocks(Path("docs/promises/credentials.md"), "yaml")
    bare = document({})
    bare["paths"]["/tokens/refresh"]["post"].pop("x-promises")
    told = Contract.read(applied(bare, yaml.safe_load(block.body), block.place), "desk")
    assert problems(told, PROMISES) == []
    kept, broken, outlived = Desk(), Desk("takes spent"), Desk("keeps family")
    for desk in (kept, broken, outlived):
        desk.contract = told
    assert (examined(kept).status, examined(kept).examined) == (Status.PASS, 3)
    assert (FOUND, "spent") in kinds(broken)
    assert kinds(outlived) == {(FOUND, "after a reuse")}


def test_an_answer_without_a_token_is_no_trade() -> None:
    """A 200 that brings nothing neither takes the token nor refuses it: nothing is found, and that is told."""
    verdict = examined(Desk("says sorry"))
    assert verdict.findings == ()
    assert "which tells neither" in verdict.reason


@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """Lost answers, limits and server errors are no finding, whatever the desk takes."""

    def fault(request: Request) -> str | int:
        faults: list[str | int] = ["lost", 429, 500, 503]
        if request.step.startswith(("spent:again", "spent:at-once")):
            return data.draw(st.sampled_from(faults))
        return data.draw(st.sampled_from(["", *faults])) if request.step == "spent:next" else ""

    verdict = examined(Desk("takes spent", fault=fault))
    assert (verdict.findings, verdict.examined) == ((), 0)
    assert verdict.reason


def test_a_limit_between_two_trades_is_waited_for() -> None:
    """Where a limit refused one of two at one instant, both are sent again for another token."""
    desk = Desk()
    desk.fault = lambda request: 429 if request.step == "spent:at-once:0" and len(desk.sent) % 2 else ""
    verdict = examined(desk)
    assert (verdict.status, verdict.examined, verdict.reason) == (Status.PASS, 3, "")
    assert len({request.json()["refreshToken"] for request in desk.sent if "at-once" in request.step}) == 2


@pytest.mark.parametrize("status", [400, 404, 409, 422, 500, 503])
def test_a_trade_that_does_not_succeed_shows_nothing(status: int) -> None:
    """Where a token that nobody used is not taken for its form, that it is refused again is no observation."""
    verdict = examined(Desk(fault=lambda request: status if request.operation == "trade" else ""))
    assert (verdict.status, verdict.findings, verdict.examined) == (Status.INCONCLUSIVE, (), 0)
    assert "a token that nobody had used" in verdict.reason


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_nobody_used_and_that_is_refused_is_found(status: int) -> None:
    """A token that is good for no use at all is no token."""
    verdict = examined(Desk(fault=lambda request: status if request.operation == "trade" else ""))
    assert [item.code for item in verdict.findings] == ["credentials.refused"]


@pytest.mark.parametrize(("status", "error"), [(401, "invalid_client"), (400, "unsupported_grant_type")])
def test_a_refusal_of_the_client_is_none_of_the_token(status: int, error: str) -> None:
    """An OAuth server that asks for more than the contract says refuses every trade, and says why."""

    class Server(Desk):
        def _answer(self, request: Request) -> Response:
            return _json(status, {"error": error}) if request.operation == "trade" else super()._answer(request)

    verdict = examined(Server(once={**ONCE, "refused": 400}))
    assert (verdict.status, verdict.findings, verdict.examined) == (Status.INCONCLUSIVE, (), 0)
    assert "a token that nobody had used" in verdict.reason


def test_nobody_elses_session_is_spent() -> None:
    """Every token is one of a fresh identity; where none can be had, nothing is sent, and what to write is told."""
    desk = Desk()
    known = {"login": PEOPLE["login"], "known": [{"name": "ann", "login": {"name": "ann", "password": "secret"}}]}
    verdict = examined(desk, known)
    assert (verdict.status, desk.sent) == (Status.INCONCLUSIVE, [])
    assert "identities.register" in verdict.reason


def test_tokens_are_masked() -> None:
    """Every token of a trade is known to be secret before it stands in a history."""
    desk, told = Desk(), []
    operation = desk.contract.by_id["trade"]
    assert PROMISE.cases is not None
    (case,) = (item for item in PROMISE.cases(desk.contract, operation, Random(1)) if item.name == "spent")
    stage = Stage(desk.contract, Actors(PEOPLE), Random(1), "n", secret=lambda value, _kind: told.append(value))
    drive(case, stage, desk, sleep=lambda _seconds: None)
    assert {request.json()["refreshToken"] for request in desk.sent if request.operation == "trade"} <= set(told)
    places = {request.operation: request.secret_pointers for request in desk.sent}
    assert (places["login"], places["trade"]) == (("/access", "/refreshToken"), ("/pair/next",))


@pytest.mark.parametrize(
    ("once", "words"),
    [
        ({"next": "/next"}, "token"),
        ({"token": "/token"}, "anyOf"),
        ({"token": "/token", "at": "/a", "family": True}, "next"),
        ({"token": "/token", "next": "/next", "given": "no.such"}, "no operationId"),
        ({"token": "token", "next": "/next"}, "token"),
    ],
)
def test_what_is_wrong_with_the_annotation_is_told(once: dict[str, Any], words: str) -> None:
    """A place that lacks, one that is no pointer, and an operation that is not there are named."""
    told = problems(Contract.read(document(once), "desk"), PROMISES)
    assert any(words in problem and "once" in problem for problem in told), told
