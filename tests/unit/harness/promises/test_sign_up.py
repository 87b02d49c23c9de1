"""The promise `resource` at a sign-up that answers a token: what its account may is told by who one is."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Contract
from harness.exchange import Exchange, Request, Response
from harness.promises.resource import PROMISE
from harness.promises.resource.sign_up import account
from tests.unit.harness.promises.shelf_api import examined

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.verdict import Verdict

TEXT = {"type": "string", "minLength": 1}
WHOLE = {"type": "integer"}
TOLD: dict[str, Any] = {"operation": "signUp", "body": {"name": "{name}", "password": "{password}"}}
PEOPLE: dict[str, Any] = {
    "roles": ["guest", "admin"],
    "default_role": "guest",
    "register": TOLD,
    "login": {**TOLD, "operation": "login", "token": "/token"},
}
ORDINARY: dict[str, Any] = {"role": "guest", "roles": ["guest"], "isAdmin": False, "credit": 0, "motto": "none"}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": {"type": "object", "properties": properties}}}


def _operation(name: str, status: str, answer: dict[str, Any], body: dict[str, Any] | None = None) -> dict[str, Any]:
    sent = {"requestBody": {"required": True, "content": _object(body)}} if body else {}
    return {"operationId": name, "responses": {status: {"description": "", "content": _object(answer)}}, **sent}


def document(
    *,
    status: str = "201",
    answer: str = "token",
    asked: str = "password",
    who: str = "/me",
    secured: bool = True,
    named: bool = False,
) -> dict[str, Any]:
    """A lobby: a sign-up and a login that answer a token, and who one is; roles may be `named` in the schema."""
    role = {"enum": ["guest", "admin"]} if named else TEXT
    kinds = {
        "role": role,
        "roles": {"type": "array", "items": role},
        "isAdmin": {"type": "boolean"},
        "credit": WHOLE,
        "motto": TEXT,
    }
    secured_by = {"security": [{"bearer": []}]} if secured else {}
    return {
        "openapi": "3.1.0",
        "info": {"title": "lobby", "version": "1"},
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "paths": {
            "/sign-up": {"post": _operation("signUp", status, {answer: TEXT}, {"name": TEXT, asked: TEXT})},
            "/login": {"post": _operation("login", "200", {"token": TEXT}, {"name": TEXT, "password": TEXT})},
            who: {"get": {**_operation("me", "200", {"id": TEXT, "name": TEXT, **kinds}), **secured_by}},
        },
    }


@dataclass
class Lobby:
    """Accounts by name. It refuses what it does not know, passes over it, promotes some, or takes some of it."""

    manner: str = "refuses"
    takes: frozenset[str] = frozenset()
    fault: Callable[[Request], str | int] = lambda _request: ""
    contract: Contract = field(default_factory=lambda: Contract.read(document(), "lobby"))
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    count: int = 0

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        self.count += 1
        fault = self.fault(request)
        status, body = (fault, {}) if isinstance(fault, int) else self._answer(request)
        answer = Response(status, (("Content-Type", "application/json"),), json.dumps(body).encode())
        return Exchange(f"l{self.count}", request, None if fault == "lost" else answer, 0, 0, 0, case=case)

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """One after the other."""
        return tuple(self.send(request, case=case) for request in requests)

    def _answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        body = request.json() or {}
        if request.operation == "signUp":
            more = {name: value for name, value in body.items() if name not in {"name", "password"}}
            if set(more) - self.takes and self.manner == "refuses":
                return 422, {}
            given = {name: value for name, value in more.items() if name in self.takes}
            promoted = self.manner == "promotes" or (self.manner == "promotes the first" and not self.people)
            rights = {"role": "admin", "roles": ["admin"], "isAdmin": True} if promoted else {}
            self.people[body["name"]] = {**ORDINARY, **rights, **given, "id": f"p{self.count}", "name": body["name"]}
            return 201, {"token": f"t-{body['name']}"}
        if request.operation == "login":
            return (200, {"token": f"t-{body['name']}"}) if body["name"] in self.people else (401, {})
        held = dict(request.identity.headers).get("Authorization", "").removeprefix("Bearer t-")
        return (200, self.people[held]) if held in self.people else (401, {})


def judged(lobby: Lobby, people: Any = PEOPLE, seed: int = 1) -> Verdict:
    """The verdict on the sign-up."""
    return examined(PROMISE, lobby, "signUp", people=people, seed=seed)


def found(lobby: Lobby, people: Any = PEOPLE, seed: int = 1) -> set[tuple[str, str]]:
    """What is found at the sign-up: each member with its severity."""
    verdict = judged(lobby, people, seed)
    assert verdict.examined or verdict.reason
    return {(finding.kind, finding.severity.value) for finding in verdict.findings}


@pytest.mark.parametrize("manner", ["refuses", "passes over", "promotes", "promotes the first"])
def test_kept(manner: str) -> None:
    """A sign-up that refuses rights, passes over them, or gives its own to all or to the first, is not accused."""
    assert found(Lobby(manner)) == set()


@settings(deadline=None, max_examples=30)
@given(
    takes=st.frozensets(st.sampled_from(sorted(ORDINARY))),
    manner=st.sampled_from(["refuses", "passes over"]),
    named=st.booleans(),
)
def test_what_is_taken_is_found(takes: frozenset[str], manner: str, *, named: bool) -> None:
    """Each right, and money, that a sign-up takes over is critical; what may be the client's own is nothing."""
    lobby = Lobby(manner, takes, contract=Contract.read(document(named=named), "lobby"))
    assert found(lobby, {**PEOPLE, "roles": []} if named else PEOPLE) == {
        (f"/{name}", "critical") for name in takes - {"motto"}
    }


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """Lost answers, limits and server errors are no finding, whatever the sign-up takes."""

    def fault(request: Request) -> str | int:
        return data.draw(st.sampled_from(["lost", 429, 503])) if request.step.startswith("trial|") else ""

    lobby = Lobby("passes over", frozenset(ORDINARY), fault)
    assert judged(lobby).findings == ()


@given(
    status=st.sampled_from(["200", "201"]),
    answer=st.sampled_from(["token", "accessToken", "message"]),
    asked=st.sampled_from(["password", "subject"]),
    who=st.sampled_from(["/me", "/users/me", "/things"]),
    secured=st.booleans(),
)
def test_what_signs_up(status: str, answer: str, asked: str, who: str, *, secured: bool) -> None:
    """Only what takes a password and answers 201 with a token signs up, where one operation tells who one is."""
    contract = Contract.read(document(status=status, answer=answer, asked=asked, who=who, secured=secured), "lobby")
    fits = (status, asked, secured) == ("201", "password", True) and answer != "message" and who != "/things"
    made = account(contract, contract.by_id["signUp"])
    assert (made.read if made else "") == ("me" if fits else "")
    assert account(contract, contract.by_id["login"]) is None
    assert bool(PROMISE.cases and PROMISE.cases(contract, contract.by_id["signUp"], Random(1))) is fits


def test_how_one_signs_up_must_be_told() -> None:
    """Without identities.register nothing is sent, and what to write is told."""
    lobby = Lobby()
    verdict = judged(lobby, {})
    assert (verdict.findings, lobby.count, "identities.register" in verdict.reason) == ((), 0, True)
