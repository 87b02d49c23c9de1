"""A simulated API with a limiter, on a fake clock: it answers a case's requests without a network or sleep."""

from __future__ import annotations

import itertools
import json
import math
from bisect import bisect_right
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from harness.actors import Actors
from harness.contract import Contract
from harness.drive import Driven, drive
from harness.exchange import Exchange, Request, Response
from harness.promises.rate_limit import PROMISE
from harness.promises.rate_limit.cases import case_of
from harness.promises.rate_limit.model import MODELS
from harness.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.case import Case
    from harness.verdict import Verdict

S = 1_000_000_000
OPERATION = "things.list"
EPOCH_S = 1_780_000_000.25
LIMIT = {
    "name": "things.list",
    "quota": 10,
    "window_s": 4,
    "scope": ["user", "address"],
    "algorithm": "sliding",
    "headers": "x-ratelimit",
    "reset": "epoch",
}


def document(limit: dict[str, Any], *, general: dict[str, Any] | None = None) -> dict[str, Any]:
    """A contract with one limited read and one limited write, and the operations that make an identity."""
    person = {
        "type": "object",
        "properties": {"email": {"type": "string"}, "password": {"type": "string"}},
        "required": ["email", "password"],
    }

    def operation(name: str, *, body: bool = False, secured: bool = True, limited: bool = False) -> dict[str, Any]:
        made: dict[str, Any] = {"operationId": name, "responses": {"200": {"description": "done"}}}
        if body:
            made["requestBody"] = {"required": True, "content": {"application/json": {"schema": person}}}
        if secured:
            made["security"] = [{"bearer": []}]
        if limited:
            made["x-promises"] = {"rate-limit": [{**limit, "name": name}]}
        return made

    return {
        "openapi": "3.1.0",
        "info": {"title": "simulated", "version": "1"},
        "x-promises": {"rate-limit": [general]} if general else {},
        "paths": {
            "/register": {"post": operation("register", body=True, secured=False)},
            "/login": {"post": operation("login", body=True, secured=False)},
            "/things": {"get": operation("things.list", limited=True)},
            "/people": {"post": operation("people.create", body=True, limited=True)},
        },
    }


TOLD = {
    "register": {"operation": "register", "body": {"email": "{name}", "password": "{password}"}},
    "login": {"operation": "login", "body": {"email": "{name}", "password": "{password}"}, "token": "/token"},
}


@dataclass
class Simulated:
    """A server with a limiter a key. `algorithm` is what it does, which may differ from what is declared.

    Callers of the roles `exempts` are not under the `general` limit; `identities` tells how callers are had.
    One that `counts_refusals` lets a refused call use up what the next would need; `honest` is one that tells of it.
    `latency_s` draws how long a request takes to the limiter and back; `race` lets all of one release count before any
    is inserted; `key` gives what it counts by, but for the general limit, which counts each caller; `told` rewrites the
    headers of an answer.
    """

    limit: dict[str, Any]
    algorithm: str = "sliding"
    quota: int = 0
    random: Random = field(default_factory=lambda: Random(1))
    latency_s: tuple[float, float] = (0.0005, 0.003)
    race: bool = False
    counts_refusals: bool = False
    honest: bool = False
    key: Callable[[Request], Any] = lambda request: request.identity.name
    told: Callable[[int, dict[str, str]], dict[str, str]] = lambda _status, headers: headers
    status: Callable[[Request], int] = lambda _request: 200
    lost: float = 0.0
    general: dict[str, Any] | None = None
    exempts: frozenset[str] = frozenset()
    identities: dict[str, Any] = field(default_factory=lambda: TOLD)
    clock_ahead_s: float = 0.0
    answered_ns: int = 0
    now_ns: int = 1000 * S
    states: dict[Any, Any] = field(default_factory=dict)
    logs: dict[Any, list[int]] = field(default_factory=dict)
    count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    global_headers: dict[str, str] = field(default_factory=dict)

    def sleep(self, seconds: float) -> None:
        """Lets the fake clock run."""
        self.now_ns += round(seconds * S)

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request."""
        return self.release((request,), case=case)[0]

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """Requests at one instant; the limiter sees them in the order in which they arrive."""
        due = self.now_ns
        self.now_ns += self.random.randrange(S // 5000)
        sent = [self.now_ns + at * 1000 for at in range(len(requests))]
        arrivals = [instant + self._delay() for instant in sent]
        answers: dict[int, tuple[Response | None, int]] = {}
        before = dict(self.states)
        for at in sorted(range(len(requests)), key=lambda at: arrivals[at]):
            answers[at] = (self._answer(requests[at], arrivals[at], before), arrivals[at] + self._delay())
        self.now_ns = max([self.now_ns, *(done for _, done in answers.values())])
        return tuple(
            Exchange(
                id=f"x{next(self.count)}",
                request=request,
                response=answers[at][0],
                due_ns=due,
                sent_ns=sent[at],
                done_ns=answers[at][1],
                case=case,
                wall_s=self._wall_s(answers[at][1]),
            )
            for at, request in enumerate(requests)
        )

    def _wall_s(self, at_ns: int) -> float:
        return EPOCH_S + at_ns / S

    def _delay(self) -> int:
        return round(self.random.uniform(*self.latency_s) * S)

    def _answer(self, request: Request, at_ns: int, before: dict[Any, Any]) -> Response | None:
        if request.operation in {"register", "login"}:
            return Response(200, (), json.dumps({"token": f"token-{request.json()['email']}"}).encode())
        quota, window_ns = self.quota or self.limit["quota"], round(self.limit["window_s"] * S)
        model = MODELS[self.algorithm](quota, window_ns)
        general = self._under_general(request, at_ns, before)
        if general is not None:
            return general
        key = (request.operation, self.key(request))
        state = self.states.get(key, model.init())
        after, admitted = model.step(state, at_ns)
        if self.race:
            admitted = model.step(before.get(key, model.init()), at_ns)[1]
            after = (*state, at_ns) if admitted else state
        if self.counts_refusals and not admitted:
            after = (*state[bisect_right(state, at_ns - window_ns) :], at_ns)
        self.states[key] = after
        log = self.logs.setdefault(key, [])
        if admitted or self.counts_refusals:
            log.append(at_ns)
        lost = self.random.random() < self.lost
        return None if lost else self._shown(request, log, at_ns, admitted=admitted, model=model)

    def _under_general(self, request: Request, at_ns: int, before: dict[Any, Any]) -> Response | None:
        """The refusal of the limit over all operations; None where there is none, or where it admits."""
        if self.general is None or self.exempts & set(request.identity.roles):
            return None
        model = MODELS["sliding"](self.general["quota"], round(self.general["window_s"] * S))
        key = ("general", request.identity.name)
        state = self.states.get(key, model.init())
        after, admitted = model.step(state, at_ns)
        if self.race and model.step(before.get(key, model.init()), at_ns)[1]:
            after, admitted = (*state, at_ns), True
        self.states[key] = after
        wait_s = max(0, math.ceil((after[0] + model.window_ns - at_ns) / S))
        texts = {
            "RateLimit-Limit": model.quota,
            "RateLimit-Remaining": model.quota - len(after),
            "RateLimit-Reset": wait_s,
        }
        self.global_headers = {name: str(max(0, value)) for name, value in texts.items()}
        if admitted:
            return None
        return Response(429, (*self.global_headers.items(), ("Retry-After", str(wait_s))), b"{}")

    def _shown(self, request: Request, log: list[int], at_ns: int, *, admitted: bool, model: Any) -> Response:
        inside = [instant for instant in log if instant > at_ns - model.window_ns]
        first = inside[-model.quota] if self.honest and len(inside) >= model.quota else inside[0] if inside else 0
        wait_s = max(0.0, (first + model.window_ns - at_ns) / S) if inside else 0.0
        if self.algorithm != "sliding":
            wait_s = model.window_ns / S
        self.answered_ns = at_ns
        reset = (
            math.ceil(self._wall_s(at_ns) + self.clock_ahead_s + wait_s)
            if self.limit.get("reset") == "epoch"
            else math.ceil(wait_s)
        )
        remaining = max(0, model.quota - len(inside))
        style = self.limit.get("headers")
        headers = {
            "x-ratelimit": {
                "X-RateLimit-Limit": model.quota,
                "X-RateLimit-Remaining": remaining,
                "X-RateLimit-Reset": reset,
            },
            "draft-6": {"RateLimit-Limit": model.quota, "RateLimit-Remaining": remaining, "RateLimit-Reset": reset},
            "draft-7": {"RateLimit": f"limit={model.quota}, remaining={remaining}, reset={reset}"},
            "draft-10": {
                "RateLimit": f'"{request.operation}";r={remaining};t={reset}',
                "RateLimit-Policy": f'"{request.operation}";q={model.quota};w=4',
            },
            None: {},
        }[style]
        status = self.status(request) if admitted else 429
        texts = self.global_headers | {name: str(value) for name, value in headers.items()}
        if not admitted:
            texts["Retry-After"] = str(max(1, math.ceil(wait_s)))
        return Response(status, tuple(self.told(status, texts).items()), b"{}")


def examined(
    server: Simulated,
    case: Case,
    contract: Contract,
    *,
    source: str = "",
    nonce: str = "n",
    tenant: str = "",
) -> tuple[Verdict, Driven]:
    """A case driven against the simulated server, and what the promise says of it."""
    stage = Stage(contract, Actors(server.identities), Random(1), nonce, tenant, source=source)
    driven = drive(case, stage, server, sleep=server.sleep)
    assert PROMISE.judge is not None
    return PROMISE.judge(contract, contract.by_id[case.operation], driven.exchanges), driven


def contract_of(limit: dict[str, Any], general: dict[str, Any] | None = None) -> Contract:
    """The contract that declares the limit on two operations."""
    return Contract(document(limit, general=general))


def burst_of(contract: Contract, name: str = OPERATION, *, wait: bool = False) -> Case:
    """The burst case of an operation."""
    return case_of(contract, contract.by_id[name], {"wait": wait})


def codes(limit: dict[str, Any], server: Simulated, *, name: str = OPERATION, wait: bool = False) -> set[str]:
    """The codes that the burst finds."""
    contract = contract_of(limit)
    verdict, driven = examined(server, burst_of(contract, name, wait=wait), contract)
    assert driven.reason == ""
    assert verdict.examined > 0
    return {finding.code for finding in verdict.findings}
