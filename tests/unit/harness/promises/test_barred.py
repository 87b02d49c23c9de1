"""The promise `credentials`, where harness.toml tells how an account is barred: at a club with a door."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import config
from harness.actors import Actors
from harness.cell import Cell, CellState
from harness.contract import Contract
from harness.drive import drive
from harness.errors import UsageError
from harness.exchange import Exchange, Request, Response
from harness.promises.credentials import PROMISE
from harness.stage import Stage
from harness.verdict import Status, Verdict
from tests.repo.sources import blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.finding import Finding

TEXT = {"type": "string", "minLength": 1}
BEARER: list[dict[str, list[str]]] = [{"bearer": []}]
ONCE = {"token": "/refreshToken", "next": "/refreshToken", "family": True, "refused": 401}
BARRED = {"operation": "bar", "by": "door", "body": {"ids": ["{id}"], "state": "barred"}, "done": "/barred"}
PEOPLE: dict[str, Any] = {
    "roles": ["member", "door"],
    "default_role": "member",
    "register": {
        "operation": "join",
        "body": {"name": "{name}", "password": "{password}"},
        "facts": {"id": "/id"},
    },
    "login": {"operation": "login", "body": {"name": "{name}", "password": "{password}"}, "token": "/access"},
    "known": [{"name": "ann", "roles": ["door"], "token": "ann/0"}],
    "void": {"barred": BARRED},
}
TAKEN = "credentials.taken"
# What each fault of the club is found as: operation, code and kind.
FAULTS = {
    "lets in": {("login", TAKEN, "after it was barred")},
    "goes on": {("me", TAKEN, "barred"), ("login", "credentials.ignored", "barred")},
    "trades": {("trade", TAKEN, "after it was barred")},
}


def _operation(name: str, body: Any = None, **more: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": body, "required": list(body or {}), "additionalProperties": False}
    sent = {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}} if body else {}
    return {"operationId": name, "responses": {"200": {"description": ""}}, **sent, **more}


def document() -> dict[str, Any]:
    """The club: who joins logs in and sees himself; the door bars whom it likes."""
    person, ids = {"name": TEXT, "password": TEXT}, {"type": "array", "items": TEXT}
    promises = {"credentials": {"invalid": 401, "once": ONCE}}
    trade = _operation("trade", {"refreshToken": TEXT}, **{"x-promises": promises})
    return {
        "openapi": "3.1.0",
        "info": {"title": "club", "version": "1"},
        "x-promises": {"credentials": {"invalid": 401}},
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "paths": {
            "/join": {"post": _operation("join", person)},
            "/login": {"post": _operation("login", person)},
            "/trade": {"post": trade},
            "/me": {"get": _operation("me", security=BEARER)},
            "/bar": {"patch": _operation("bar", {"ids": ids, "state": TEXT}, security=BEARER)},
        },
    }


@dataclass
class Club:
    """Tokens say whose they are; who was barred is heeded everywhere but where a manner says otherwise."""

    manners: frozenset[str] = frozenset()
    fault: Callable[[Request], str | int] = lambda _request: ""
    contract: Contract = field(default_factory=lambda: Contract.read(document(), "club"))
    members: list[str] = field(default_factory=lambda: ["ann"])
    barred: set[str] = field(default_factory=set)
    live: dict[str, str] = field(default_factory=dict)
    spent: dict[str, str] = field(default_factory=dict)
    sent: list[Request] = field(default_factory=list)

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        self.sent.append(request)
        fault = self.fault(request)
        answer = Response(fault) if isinstance(fault, int) else self._answer(request)
        return Exchange(f"c{len(self.sent)}", request, None if fault == "lost" else answer, 0, 0, 0, case=case)

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """One after the other."""
        return tuple(self.send(request, case=case) for request in requests)

    def _answer(self, request: Request) -> Response:
        name, body, header = request.operation, request.json() or {}, dict(request.identity.headers)
        token = header.get("Authorization")
        who = (token or "").removeprefix("Bearer ").partition("/")[0]
        made_up = token is not None and (who not in self.members or not token.startswith("Bearer "))
        if made_up or (name in {"me", "bar"} and not who):
            return Response(401)
        if who in self.barred and "goes on" not in self.manners:
            return Response(403 if "forbids" in self.manners else 401)
        if name == "join":
            self.members.append(body["name"])
            return _json({"id": body["name"]})
        if name == "login":
            return self._entered(body["name"])
        if name == "trade":
            return self._traded(body["refreshToken"])
        return self._bar(body) if name == "bar" and who == "ann" else Response(403 if name == "bar" else 200)

    def _bar(self, body: dict[str, Any]) -> Response:
        if "passes over" in self.manners:
            return _json({"barred": 0})
        self.barred |= set(body["ids"])
        return _json({"barred": len(body["ids"])})

    def _entered(self, name: str) -> Response:
        if name in self.barred and "is polite" in self.manners:
            return _json({"access": "", "refreshToken": "", "message": "not tonight"})
        return self._pair(name) if name not in self.barred or "lets in" in self.manners else Response(401)

    def _traded(self, token: str) -> Response:
        if token in self.spent:
            self.live = {key: name for key, name in self.live.items() if name != self.spent[token]}
        name = self.live.get(token, "")
        if not name or (name in self.barred and "trades" not in self.manners):
            return Response(401)
        self.spent[token] = self.live.pop(token)
        return self._pair(name)

    def _pair(self, name: str) -> Response:
        token = f"r{len(self.sent)}"
        self.live[token] = name
        return _json({"access": f"{name}/{len(self.sent)}", "refreshToken": token})


def _json(value: Any) -> Response:
    return Response(200, (("Content-Type", "application/json"),), json.dumps(value).encode())


def examined(club: Club, name: str, people: Any = PEOPLE, seed: int = 1) -> Verdict:
    """The verdict of an operation's cases, each judged from what a history would keep."""
    operation = club.contract.by_id[name]
    assert PROMISE.cases is not None
    assert PROMISE.judge is not None
    found: list[Finding] = []
    reasons: list[str] = []
    cells: list[Cell] = []
    count = 0
    for case in PROMISE.cases(club.contract, operation, Random(seed)):
        stage = Stage(club.contract, Actors(people), Random(seed), f"n{seed}{name}{case.name}")
        driven = drive(case, stage, club, sleep=lambda _seconds: None)
        kept = [Exchange.from_record(json.loads(json.dumps(item.to_record()))) for item in driven.exchanges]
        verdict = PROMISE.judge(club.contract, operation, kept)
        found += verdict.findings
        reasons += filter(None, (driven.reason, verdict.reason))
        cells += verdict.cells
        count += verdict.examined
    return Verdict(PROMISE.key, name, count, tuple(found), "; ".join(reasons), cells=tuple(cells))


def faults(club: Club, people: Any = PEOPLE) -> set[tuple[str, str, str]]:
    """Operation, code and kind of what is found at the club."""
    verdicts = [examined(club, name, people) for name in ("login", "trade", "me")]
    return {(item.operation, item.code, item.kind) for verdict in verdicts for item in verdict.findings}


@given(seed=st.integers(0, 999))
def test_kept(seed: int) -> None:
    """A club that heeds whom it barred passes at every operation; its columns say so."""
    club = Club()
    for name, count in {"login": 2, "trade": 5, "me": 4}.items():
        verdict = examined(club, name, seed=seed)
        assert (verdict.findings, verdict.reason, verdict.examined) == ((), "", count), name
        assert CellState.HELD in {cell.state for cell in verdict.cells if cell.identity == "barred"}


@given(st.sets(st.sampled_from(sorted(FAULTS))))
def test_broken(manners: set[str]) -> None:
    """Each place where a barred account is not heeded is found there and nowhere else, however many there are."""
    assert faults(Club(frozenset(manners))) == {found for manner in manners for found in FAULTS[manner]}


def test_the_witnesses_tell_it_whole() -> None:
    """A login that goes on is shown by the login before, the call that barred the account, and the login after."""
    club = Club(frozenset({"lets in"}))
    (finding,) = examined(club, "login").findings
    shown = [club.sent[int(name.removeprefix("c")) - 1] for name in finding.witnesses]
    assert [request.operation for request in shown] == ["login", "bar", "login"]
    assert shown[0].body == shown[2].body


def test_where_it_is_not_told_nobody_is_barred() -> None:
    """Without the table no account is barred, and nothing is said of it."""
    club = Club(frozenset(FAULTS))
    assert faults(club, {**PEOPLE, "void": {}}) == set()
    assert not [request for request in club.sent if request.operation == "bar"]


def test_who_is_barred_may_be_told_so() -> None:
    """403 is as good as 401 for an account that is known and has no access; of a made-up token it is not."""
    assert examined(Club(frozenset({"forbids"})), "me").findings == ()


def test_a_call_that_passes_over_an_account_shows_nothing() -> None:
    """Where the answer of the call counts nobody, nothing is found and the reason told."""
    club = Club(frozenset({"passes over"}))
    assert faults(club) == set()
    for name in ("login", "trade", "me"):
        verdict = examined(club, name)
        assert verdict.status is Status.INCONCLUSIVE
        assert "told at /barred that nothing was done" in verdict.reason


def test_an_answer_without_tokens_is_no_login() -> None:
    """A login that answers 200 and gives nothing neither lets the account in nor refuses it."""
    verdict = examined(Club(frozenset({"is polite"})), "login")
    assert (verdict.status, verdict.findings) == (Status.INCONCLUSIVE, ())
    assert "which tells neither" in verdict.reason


@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """Lost answers, limits and server errors are no finding, whomever the club lets in."""

    def fault(request: Request) -> str | int:
        answers: list[str | int] = ["lost", 429, 500, 503]
        return data.draw(st.sampled_from(answers)) if "barred" in request.step else ""

    name = data.draw(st.sampled_from(["login", "trade", "me"]))
    verdict = examined(Club(frozenset(FAULTS), fault=fault), name)
    assert verdict.findings == ()
    assert verdict.reason


def test_only_fresh_accounts_are_barred() -> None:
    """Where nobody can be made nobody is barred, and what to write is told."""
    club = Club(frozenset(FAULTS))
    verdict = examined(club, "me", {name: table for name, table in PEOPLE.items() if name != "register"})
    assert verdict.findings == ()
    assert "identities.register" in verdict.reason
    assert not [request for request in club.sent if request.operation == "bar"]


def test_who_is_known_keeps_his_access() -> None:
    """Where a role is had by a known account alone, and no grant gives it, another account is barred."""
    value = document()
    value["paths"]["/me"]["get"]["x-promises"] = {"roles": {"allow": ["door"]}}
    club = Club(contract=Contract.read(value, "club"))
    by_name = {**BARRED, "body": {"ids": ["{name}"], "state": "barred"}}
    verdict = examined(club, "me", {**PEOPLE, "void": {"barred": by_name}})
    assert (verdict.findings, verdict.reason, verdict.examined) == ((), "", 4)
    assert club.barred
    assert "ann" not in club.barred


def test_a_promised_kind_that_is_not_told() -> None:
    """A contract that promises the kind and a harness.toml that does not tell the call: what to write is told."""
    value = document()
    value["x-promises"]["credentials"]["kinds"] = ["barred"]
    verdict = examined(Club(contract=Contract.read(value, "club")), "me", {**PEOPLE, "void": {}})
    assert verdict.status is Status.INCONCLUSIVE
    assert "identities.void.barred" in verdict.reason


def test_the_table_of_the_page(tmp_path: Path) -> None:
    """What the page tells in harness.toml is taken, and bars accounts of an API that has its operation."""
    (block,) = blocks(Path("docs/promises/credentials.md"), "toml")
    told = config.checked(tomllib.loads(block.body), tmp_path, "it").identities["void"]["barred"]
    text = json.dumps(document()).replace('"bar"', json.dumps(told["operation"]))
    people = {**PEOPLE, "known": [{**PEOPLE["known"][0], "roles": [told["by"]]}], "void": {"barred": told}}

    @dataclass
    class Renamed(Club):
        def _answer(self, request: Request) -> Response:
            if request.operation != told["operation"]:
                return super()._answer(request)
            self.barred |= set(request.json()["ids"])
            return _json({told["done"].strip("/"): 1})

    for manners, expected in ((frozenset[str](), set()), (frozenset({"lets in"}), FAULTS["lets in"])):
        assert faults(Renamed(manners, contract=Contract.read(json.loads(text), "club")), people) == expected


@pytest.mark.parametrize("table", [{}, {"operation": "bar", "done": "barred"}, {"operation": "bar", "whom": "x"}])
def test_what_is_wrong_with_the_table_is_told(tmp_path: Path, table: dict[str, Any]) -> None:
    """A call without its operation, a place that is no pointer and a word that nobody knows are told."""
    with pytest.raises(UsageError) as error:
        config.checked({"identities": {"void": {"barred": table}}}, tmp_path, "it")
    assert "identities.void.barred" in error.value.problems[0]
