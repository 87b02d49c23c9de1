"""The API in memory with a second front door: its operations by one POST each, whose guard may lack what REST's has."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any

from harness.actors import Actors
from harness.contract import Contract
from harness.drive import Driven, drive
from harness.exchange import Exchange, Request, Response
from harness.promises.transports import PROMISE
from harness.stage import Stage
from tests.unit.harness.promises.shelf_api import IDENTITIES, Shelf
from tests.unit.harness.promises.shelf_document import document

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.verdict import Verdict

RPC = {"name": "rpc", "format": "orpc", "prefix": "/rpc"}
PLAIN = {"name": "calls", "format": "json", "prefix": "/call", "separator": "."}
Answered = tuple[int, bytes]


def contract(*told: dict[str, Any], **promises: Any) -> Contract:
    """The shelf's contract with further transports, and with these promises on the document."""
    whole = document()
    whole["x-promises"] |= {"transports": list(told or (RPC,)), **promises}
    return Contract.read(whole, "shelf")


def as_it_is(_request: Request, answer: Answered) -> Answered:
    """What an ordinary server answers."""
    return answer


PARTS = {"params", "query", "body"}


@dataclass
class Counter(Shelf):
    """The shelf with doors; `behind` are the defects of the doors alone, `dressed` changes what they answer.

    One that is `detailed` takes path, query and body apart, and any other together.
    """

    contract: Contract = field(default_factory=contract)
    behind: frozenset[str] = frozenset()
    inner: type[Shelf] = Shelf
    dressed: Callable[[Request, Answered], Answered] = as_it_is
    detailed: bool = False

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """Requests at the doors one by one, all others as the shelf does."""
        if not any(request.path.startswith(("/rpc/", "/call/")) for request in requests):
            return super().release(requests, case=case)
        return tuple(self._called(request, case) for request in requests)

    def _called(self, request: Request, case: str) -> Exchange:
        inside = self.inner(
            self.behind, contract=self.contract, people=self.people, notes=self.notes, gone=self.gone,
            numbers=self.numbers, fault=self.fault,
        )  # fmt: skip
        wrapped = request.path.startswith("/rpc/")
        name = request.path.removeprefix("/rpc/").removeprefix("/call/").replace("/", ".")
        sent = request.json()
        members = dict(sent["json"] if wrapped else sent)
        operation = self.contract.by_id[name]
        if members and wrapped and (members.keys() <= PARTS) is not self.detailed:
            refused = replace(request, operation=name)
            exchange = replace(inside.send(refused), request=request, response=Response(400), case=case)
            self.seen(exchange)
            return exchange
        if self.detailed:
            members = {name: value for part in members.values() for name, value in part.items()}
        path = re.sub(r"\{(\w+)\}", lambda found: str(members.pop(found[1])), operation.path)
        body = json.dumps(members).encode() if operation.json_body() else None
        exchange = inside.send(replace(request, path=path, method=operation.method, operation=name, body=body))
        answer = exchange.response
        if answer is not None:
            text = answer.body
            if wrapped and text:
                text = b'{"json":%b}' % text
            status, text = self.dressed(request, (answer.status, text))
            answer = Response(status, answer.headers, text)
        exchange = replace(exchange, request=request, response=answer, case=case)
        self.seen(exchange)
        return exchange


def driven(counter: Counter, name: str, seed: int = 1) -> list[Driven]:
    """The cases of an operation, each driven once."""
    assert PROMISE.cases is not None
    found = []
    for case in PROMISE.cases(counter.contract, counter.contract.by_id[name], Random(seed)):
        stage = Stage(counter.contract, Actors(IDENTITIES), Random(seed), f"n{seed}{name}{case.name}")
        found.append(drive(case, stage, counter, sleep=lambda _seconds: None))
    return found


def judged(counter: Counter, name: str, seed: int = 1) -> list[Verdict]:
    """A verdict for each transport of an operation, from what a history would keep."""
    assert PROMISE.judge is not None
    told = []
    for done in driven(counter, name, seed):
        kept = [Exchange.from_record(exchange.to_record()) for exchange in done.exchanges]
        verdict = PROMISE.judge(counter.contract, counter.contract.by_id[name], kept)
        told.append(replace(verdict, reason="; ".join(filter(None, (done.reason, verdict.reason)))))
    return told
