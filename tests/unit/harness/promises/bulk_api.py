"""An API in memory that makes and changes many pets at once and accounts for each; with a named defect it does not."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any

from harness.actors import Actors
from harness.contract import Contract
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.promises.bulk import PROMISE
from harness.stage import Stage

if TYPE_CHECKING:
    from harness.drive import Driven
    from harness.verdict import Verdict

TEXT = {"type": "string", "minLength": 1}
MADE: dict[str, Any] = {
    "items": "/pets",
    "resource": "pet",
    "done": "/created",
    "failed": "/failed",
    "results": "/results",
    "index": "/index",
    "thing": "/pet",
    "error": "/error",
}
CHANGED = {"items": "/ids", "resource": "pet", "done": "/updated", "failed": "/failed", "unknown": "failed"}


def document(
    made: Any = MADE, changed: Any = CHANGED, *, kind: str = "string", bounds: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Pets that anyone makes and reads; `kind` is the type of an id, `bounds` are of the lists of many at once.

    The names of many at once may be empty, which each row's own answer tells.
    """
    id_ = {"type": kind}
    row = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    new: dict[str, Any] = {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}
    pet = {"type": "object", "properties": {"id": id_, **new["properties"]}}

    def operation(name: str, body: Any = None, promise: Any = None) -> dict[str, Any]:
        entries = {"properties": {"results": {"items": {"properties": {"pet": pet}}}}}
        content = {"application/json": {"schema": (entries if promise else {}) if body else pet}}
        told = {"operationId": name, "responses": {"200": {"description": "", "content": content}}}
        sent = {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}} if body else {}
        return {**told, **sent, **({"x-promises": {"bulk": promise}} if promise else {})}

    def many(name: str, items: Any, **more: Any) -> dict[str, Any]:
        listed = {"type": "array", "items": items, **(bounds or {}), **more}
        return {"type": "object", "properties": {name: listed}, "required": [name]}

    return {
        "openapi": "3.1.0",
        "info": {"title": "pets", "version": "1"},
        "paths": {
            "/pets": {"post": operation("pets.create", new)},
            "/pets/{petId}": {
                "parameters": [{"name": "petId", "in": "path", "required": True, "schema": id_}],
                "get": operation("pets.get"),
            },
            "/pets/bulk": {
                "post": operation("pets.makeAll", many("pets", row), made),
                "patch": operation("pets.changeAll", many("ids", id_, uniqueItems=True), changed),
            },
        },
        "x-promises": {"resource": {"pet": {"create": "pets.create", "read": "pets.get", "id": "/id"}}},
    }


@dataclass
class Pets:
    """The API. `lists` tells ids and reasons for counts, `whole` refuses all for one, `again` makes a body twice."""

    defects: frozenset[str] = frozenset()
    told: dict[str, Any] = field(default_factory=document)
    lists: bool = False
    whole: bool = False
    again: bool = False
    status: int = 200
    first: int = 0
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    pets: dict[Any, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.contract = Contract.read(self.told, "pets")
        id_ = self.told["paths"]["/pets/{petId}"]["parameters"][0]["schema"]
        self.whole_numbers = id_["type"] == "integer"

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        status, body = self._answer(request)
        response = Response(status, (("Content-Type", "application/json"),), json.dumps(body).encode())
        return Exchange(f"x{next(self.numbers)}", request, response, 0, 0, 0, case=case)

    def release(self, requests: Any, *, case: str = "") -> tuple[Exchange, ...]:
        """Requests in turn."""
        return tuple(self.send(request, case=case) for request in requests)

    def _answer(self, request: Request) -> tuple[int, Any]:
        body = request.json()
        if (refusal := self._refusal(request.path, body)) is not None:
            return refusal, None
        if request.path == "/pets/bulk":
            return self._made(body["pets"]) if request.method == "POST" else self._changed(body["ids"])
        if request.method == "POST":
            return 201, self._new(body)
        found = next((pet for key, pet in self.pets.items() if str(key) == request.path.rpartition("/")[2]), None)
        return (404, None) if found is None else (200, found)

    def _refusal(self, path: str, body: Any) -> int | None:
        """The status by which it is refused before it is looked at; none where it is not."""
        if path == "/pets":
            return 422 if "refuses rows" in self.defects else None
        if path != "/pets/bulk":
            return None
        if self.status != 200:
            return self.status
        if "asks for a reason" in self.defects and "reason" not in body:
            return 422
        return 400 if "refuses lists" in self.defects else None

    def _new(self, row: dict[str, Any]) -> dict[str, Any]:
        number = next(self.numbers)
        made = {"id": number if self.whole_numbers else f"pet-{number:06}", **row}
        self.pets[made["id"]] = made
        return made

    def _changed(self, ids: list[Any]) -> tuple[int, Any]:
        if "leaves out the tenth" in self.defects:
            ids = [key for number, key in enumerate(ids, 1) if number % 10]
        failed = [key for key in ids if key not in self.pets]
        if failed and self.whole:
            return 404, None
        done = [key for key in ids if key in self.pets]
        if "passes over" in self.defects:
            failed = []
        if "takes all" in self.defects:
            done, failed = ids, []
        if "twice" in self.defects:
            done, failed = done[1:], [*failed, *failed[:1]]
        if "names another" in self.defects and failed:
            failed = [f"another-{number}" for number in range(len(failed))]
        if "tells one for all" in self.defects and failed:
            failed = done[:1] * len(failed)
        if "swaps" in self.defects and failed:
            done, failed = failed, done
        results = [{"index": number, **({"error": "no"} if key in failed else {})} for number, key in enumerate(ids)]
        return 200, {"updated": done if self.lists else len(done), "failed": failed, "results": results}

    def _made(self, rows: list[dict[str, Any]]) -> tuple[int, Any]:
        before, results = dict(self.pets), []
        for index, row in enumerate(rows):
            taken = not self.again and any(pet["name"] == row["name"] for pet in self.pets.values())
            taken |= not row["name"] and "takes what its create refuses" not in self.defects
            if taken and self.whole:
                self.pets = before
                return 409, None
            results.append({"index": index + self.first, **({"error": "taken"} if taken else {"pet": self._new(row)})})
        made, failed = ([item for item in results if word in item] for word in ("pet", "error"))
        if "undoes" in self.defects and failed:
            self.pets = before
        if "drops taken" in self.defects:
            results, failed = made, []
        wrong = "counts taken" in self.defects
        counts: dict[str, Any] = {"created": len(made) + wrong, "failed": len(failed) - wrong}
        if self.lists:
            reasons = [{**item, "at": at} for item in failed for at in ("/name", "/kind")]
            counts = {"created": [item["pet"]["id"] for item in made], "failed": reasons}
        self._spoilt(results)
        return 200, {**counts, "results": results}

    def _spoilt(self, results: list[dict[str, Any]]) -> None:
        if "drops an entry" in self.defects:
            results.pop()
        if "one index" in self.defects:
            results[-1]["index"] = 0
        if "both" in self.defects:
            results[0]["error"] = "done, and yet"
        if "neither" in self.defects:
            results[0].pop("pet", None)


def driven(api: Pets, seed: int = 2) -> dict[str, Driven]:
    """What came of the case of each operation that has the promise."""
    found = {}
    for operation in api.contract.operations:
        if PROMISE.cases is not None and PROMISE.applies(api.contract, operation):
            (case,) = PROMISE.cases(api.contract, operation, Random(1))
            stage = Stage(api.contract, Actors({}, {}), Random(seed), f"n{next(api.numbers)}")
            found[operation.id] = drive(case, stage, api, sleep=lambda _seconds: None)
    return found


def examined(api: Pets, seed: int = 2) -> dict[str, Verdict]:
    """The verdict of each operation that has the promise."""
    assert PROMISE.judge is not None
    found = {}
    for name, done in driven(api, seed).items():
        verdict = PROMISE.judge(api.contract, api.contract.by_id[name], done.exchanges)
        found[name] = replace(verdict, reason="; ".join(filter(None, (done.reason, verdict.reason))))
    return found
