"""What the small APIs in memory of these tests share: released requests interleave as a drawn schedule says.

A request is a generator that yields between its atomic steps. Time is the toy's own: each step takes a millisecond, and
a case's pause passes at once.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from harness.actors import Actors
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.stage import Stage
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.contract import Contract
    from harness.promises.promise import Promise

MAX_CHOSEN = 60
STEP_NS = 1_000_000
SECOND_NS = 1_000_000_000
TENANT_HEADER = "X-Tenant"
IDENTITIES: dict[str, Any] = {
    "default_role": "user",
    "roles": ["user"],
    "tenants": {"header": TENANT_HEADER, "names": ["east", "west"]},
    "register": {"operation": "people.create", "body": {"name": "{name}"}, "facts": {"id": "/id"}},
    "login": {"operation": "login", "body": {"name": "{name}"}, "token": "/token"},
}


class Refused(Exception):
    """A request's end with a status other than the handler's own."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(str(status))


@dataclass
class Toy:
    """`choose(n)` decides which of n requests goes on; `fault(request)` is empty, `lost`, `dropped` or a status."""

    contract: Contract
    defects: frozenset[str] = frozenset()
    choose: Callable[[int], int] = lambda _count: 0
    fault: Callable[[Request], str | int] = lambda _request: ""
    now_ns: int = SECOND_NS
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def has(self, defect: str) -> bool:
        """Whether the API has the defect."""
        return defect in self.defects

    def handle(self, request: Request) -> Any:
        """A generator that ends with status, headers and body."""
        raise NotImplementedError

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        return self.release([request], case=case)[0]

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """Requests whose atomic steps interleave as `choose` says."""
        began_ns = self.now_ns
        answers: dict[int, tuple[Response | None, int]] = {}
        faults = [self.fault(request) for request in requests]
        running = {}
        for index, request in enumerate(requests):
            if faults[index] and faults[index] != "lost":
                told = None if faults[index] == "dropped" else Response(int(faults[index]))
                answers[index] = told, began_ns
            else:
                running[index] = self.handle(request)
        for step in itertools.count():
            if not running:
                break
            # Where the schedule lets one wait for ever for another, each has its turn in the end.
            choice = self.choose(len(running)) if step < MAX_CHOSEN else step
            index = sorted(running)[choice % len(running)]
            self.now_ns += STEP_NS
            try:
                next(running[index])
                continue
            except StopIteration as end:
                status, headers, body = end.value
                response = Response(status, headers, json.dumps(body).encode() if body is not None else b"")
            except Refused as end:
                response = Response(end.status)
            del running[index]
            answers[index] = None if faults[index] == "lost" else response, self.now_ns
        self.now_ns += STEP_NS
        return tuple(
            Exchange(f"x{next(self.numbers)}", request, answers[at][0], began_ns, began_ns, answers[at][1], case=case)
            for at, request in enumerate(requests)
        )

    def pause(self, seconds: float) -> None:
        """Time that passes at once."""
        self.now_ns += round(seconds * SECOND_NS)


def caller_of(request: Request) -> str:
    """Who calls, by the token; empty for nobody."""
    return dict(request.identity.headers).get("Authorization", "").removeprefix("Bearer t-")


def tenant_of(request: Request) -> str:
    """The tenant of a request."""
    return dict(request.identity.headers).get(TENANT_HEADER, "")


def examined(promise: Promise, toy: Toy, operation_id: str, *, only: str = "", seed: int = 1) -> Verdict:
    """The merged verdict of a promise's cases on an operation, each judged from what a history would keep of it."""
    operation = toy.contract.by_id[operation_id]
    assert promise.cases is not None
    assert promise.judge is not None
    findings, reasons, count = {}, [], 0
    for case in promise.cases(toy.contract, operation, Random(seed)):
        if not case.name.startswith(only):
            continue
        stage = Stage(toy.contract, Actors(IDENTITIES), Random(seed), f"n{seed}{case.name[:9]}", "east")
        driven = drive(case, stage, toy, sleep=toy.pause)
        kept = [Exchange.from_record(exchange.to_record()) for exchange in driven.exchanges]
        verdict = promise.judge(toy.contract, operation, kept)
        findings |= {(finding.code, finding.kind): finding for finding in verdict.findings}
        reasons += list(filter(None, (driven.reason, verdict.reason)))
        count += verdict.examined
    return Verdict(promise.key, operation_id, count, tuple(findings.values()), "; ".join(reasons))
