"""An API in memory with a shelf of notes a tenant, told by a header or by a path's prefix; with defects by name."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any

from harness import canary
from harness.actors import Actors
from harness.contract import Contract
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.promises.tenant import PROMISE
from harness.stage import Stage
from tests.unit.harness.promises.shelf_api import IDENTITIES, Shelf
from tests.unit.harness.promises.shelf_document import document

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.verdict import Verdict

NAMES = ("north", "south")
TOLD: dict[str, Any] = {
    "told": [{"in": "header", "name": "X-Branch"}, {"in": "path", "prefix": "/b/{tenant}"}],
    "unknown": 404,
    "other": 401,
    "conflict": "first",
}


def contract(**changes: Any) -> Contract:
    """The shelf's contract with tenants promised."""
    told = document()
    told["x-promises"] = {**told["x-promises"], "tenant": {**TOLD, **changes}}
    return Contract.read(told, "branches")


@dataclass
class Branches:
    """A shelf a tenant, who is told by a header or by a path's prefix. `fault` is the shelf's."""

    defects: frozenset[str] = frozenset()
    fault: Callable[[Request], str | int] = lambda _request: ""
    contract: Contract = field(default_factory=contract)
    header: str = "X-Branch"
    prefix: str = "/b/"
    shelves: dict[str, Shelf] = field(default_factory=dict)
    kept: dict[str, Response] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        for name in NAMES:
            self._open(name)

    def has(self, defect: str) -> bool:
        """Whether the API has the defect."""
        return defect in self.defects

    def _open(self, name: str) -> Shelf:
        shelf = Shelf(fault=self.fault, numbers=self.numbers)
        shelf.people[f"root-{name}"] = shelf.people["root"]
        if self.has("one world") and self.shelves:
            shelf.notes = next(iter(self.shelves.values())).notes
        self.shelves[name] = shelf
        return shelf

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        return self.release([request], case=case)[0]

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """One after the other, each to its tenant's shelf."""
        return tuple(self._one(request, case) for request in requests)

    def _one(self, request: Request, case: str) -> Exchange:
        name, path = self._tenant(request)
        shelf = self.shelves.get(name)
        if shelf is None and self.has("made at sight"):
            shelf = self._open(name)
        if shelf is None:
            return self._answered(request, Response(404), case)
        token = dict(request.identity.headers).get("Authorization", "").removeprefix("Bearer t-")
        people = shelf.people
        if token and token not in people:
            found = next((other.people[token] for other in self.shelves.values() if token in other.people), None)
            if found is None or not self.has("unbound"):
                return self._answered(request, Response(401), case)
            shelf.people = {**people, token: found}
        if self.has("tells") and self._is_anothers(shelf, path):
            return self._answered(request, Response(403), case)
        answer = shelf.send(replace(request, path=path), case=case).response
        shelf.people = people if shelf.people is not people and token not in people else shelf.people
        if self.has("one cache") and request.operation == "notes.list" and answer is not None:
            key = repr(request.query)
            answer = self.kept.pop(key, None) or self.kept.setdefault(key, answer)
        return self._answered(request, answer, case)

    def _answered(self, request: Request, answer: Response | None, case: str) -> Exchange:
        return Exchange(f"x{next(self.numbers)}", request, answer, 0, 0, 0, case=case)

    def _is_anothers(self, shelf: Shelf, path: str) -> bool:
        parts = path.strip("/").split("/")
        others = [other for other in self.shelves.values() if other is not shelf]
        return parts[0] == "notes" and any(parts[-1] in other.notes for other in others)

    def _tenant(self, request: Request) -> tuple[str, str]:
        headers = dict((*request.identity.headers, *request.headers))
        told, path, prefixed = headers.get(self.header, ""), request.path, ""
        if path.startswith(self.prefix):
            prefixed, _, rest = path.removeprefix(self.prefix).partition("/")
            path = f"/{rest}"
        if self.has("deaf to the path"):
            prefixed = ""
        first, second = (prefixed, told) if self.has("path first") else (told, prefixed)
        return first or second or NAMES[-1], path


def examined(branches: Branches, operation_id: str, *, names: Sequence[str] = NAMES, seed: int = 1) -> Verdict:
    """The verdict of the promise on an operation, judged from what a history would keep of its case."""
    operation = branches.contract.by_id[operation_id]
    assert PROMISE.cases is not None
    assert PROMISE.judge is not None
    (case,) = PROMISE.cases(branches.contract, operation, Random(seed))
    people = {**IDENTITIES, "tenants": {"header": branches.header, "names": list(names)}}
    nonce = f"{canary.OPENING}{canary.tag(names[0])}{seed:04x}{hash(operation_id) & 0xFFFF:04x}"
    stage = Stage(branches.contract, Actors(people), Random(seed), nonce, tenant=names[0])
    driven = drive(case, stage, branches, sleep=lambda _seconds: None)
    kept = [Exchange.from_record(exchange.to_record()) for exchange in driven.exchanges]
    verdict = PROMISE.judge(branches.contract, operation, kept)
    return replace(verdict, reason="; ".join(filter(None, (driven.reason, verdict.reason))))
