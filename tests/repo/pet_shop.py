"""The pet shop of the documents as APIs in memory: a counter of its own, and the simulations of the promises' tests."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.contract import Contract
from harness.exchange import Exchange, Request, Response
from tests.unit.harness.promises import limiter_sim, shelf_document, shop_sim
from tests.unit.harness.promises.shelf_api import IDENTITIES, Refused, Shelf
from tests.unit.harness.promises.shop_sim import Shop

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXT = {"type": "string", "minLength": 1}
PET = {"type": "object", "properties": {"id": TEXT, "name": TEXT}, "required": ["id", "name"]}
NEW = {"type": "object", "properties": {"name": TEXT}, "required": ["name"], "additionalProperties": False}
ERROR = {"type": "object", "properties": {"code": TEXT, "message": TEXT}, "required": ["code", "message"]}
HEADERS = {
    "Content-Type": "application/json",
    "X-Content-Type-Options": "nosniff",
    "X-Request-ID": "r-1",
    "Date": "Sat, 01 Aug 2026 10:00:00 GMT",
}
TRACE = 'Traceback (most recent call last):\n  File "/srv/shop/pets.py", line 7, in get'
# What a client does at the counter: method, path, operation and body; the last path is none of the document's.
CALLS: tuple[tuple[str, str, str, Any], ...] = (
    ("GET", "/pets", "listPets", None),
    ("POST", "/pets", "addPet", {"name": "Rex"}),
    ("POST", "/pets", "addPet", {"name": 7}),
    ("GET", "/pets/p1", "getPet", None),
    ("GET", "/pets/none", "getPet", None),
    ("GET", "/events", "events", None),
    ("GET", "/nowhere", "", None),
)
SHELF = {
    "/notes": "/pets",
    "notes.create": "addPet",
    "notes.get": "getPet",
    "notes.list": "listPets",
    "notes.update": "updatePet",
    "notes.delete": "deletePet",
    "note": "pet",
    "writer": "keeper",
}
METHODS = ("get", "post", "patch", "delete")
KEEPERS: Mapping[str, Any] = {**IDENTITIES, "roles": ["reader", "keeper", "admin"]}
SHOP = {
    "/products": "/pets",
    "products.get": "getPet",
    "products.create": "addPet",
    "orders.create": "addOrder",
    "orders.get": "getOrder",
    "orders.cancel": "cancelOrder",
    "productId": "petId",
}
LIMITER = {"/things": "/pets", "things.list": "listPets"}


def renamed(document: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A document with other names for paths, operations, members and resources."""
    text = json.dumps(document)
    for name, other in names.items():
        text = text.replace(f'"{name}"', f'"{other}"').replace(f'"{name}/', f'"{other}/')
    found: dict[str, Any] = json.loads(text)
    return found


def counter_document() -> dict[str, Any]:
    """The document of the counter; it forgot what is answered where no such pet is."""

    def answer(schema: Any) -> dict[str, Any]:
        return {"description": "", "content": {"application/json": {"schema": schema}}}

    listed = {"type": "array", "items": PET}
    body = {"required": True, "content": {"application/json": {"schema": NEW}}}
    one = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]
    error = answer({"$ref": "#/components/schemas/Error"})
    made = {"operationId": "addPet", "requestBody": body, "responses": {"201": answer(PET), "400": error}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "pet shop", "version": "1"},
        "components": {"schemas": {"Error": ERROR}},
        "paths": {
            "/pets": {"get": {"operationId": "listPets", "responses": {"200": answer(listed)}}, "post": made},
            "/pets/{id}": {
                "parameters": one,
                "get": {"operationId": "getPet", "responses": {"200": answer(PET)}},
            },
            "/events": {"get": {"operationId": "events", "responses": {"200": answer(listed)}}},
        },
    }


@dataclass
class Counter:
    """The counter of the pet shop; its events are of no fixed form and for those who mend it. Defects by name."""

    defects: frozenset[str] = frozenset()
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def history(self) -> list[Exchange]:
        """What came of every call."""
        return [self._exchange(*call) for call in CALLS]

    def _exchange(self, method: str, path: str, operation: str, body: Any) -> Exchange:
        data = None if body is None else json.dumps(body).encode()
        sent = () if data is None else (("Content-Type", "application/json"),)
        request = Request(method, path, operation, headers=sent, body=data)
        status, value = self._answer(path, body)
        headers = HEADERS | ({"Server": "shop/2.1"} if "names itself" in self.defects else {})
        if "sniffed" in self.defects and status >= 400:
            del headers["X-Content-Type-Options"]
        if "odd id" in self.defects:
            headers["X-Request-ID"] = "r 1"
        response = Response(status, tuple(headers.items()), json.dumps(value).encode())
        return Exchange(f"x{next(self.numbers)}", request, response, 0, 0, 1)

    def _answer(self, path: str, body: Any) -> tuple[int, Any]:
        rex = {"id": "p1", "name": 7 if "a number for a name" in self.defects else "Rex"}
        if path == "/events":
            return 200, {"trace": TRACE}
        if path == "/nowhere":
            return 404, {"detail": "Not Found"} if "another's 404" in self.defects else self._error("Not found")
        if path == "/pets" and body is None:
            return 200, [rex]
        if path == "/pets/none":
            told = TRACE if "tells its trace" in self.defects else "No such pet"
            return 410 if "gone" in self.defects else 404, self._error(told)
        if body is not None and body != {"name": "Rex"} and "takes all" not in self.defects:
            return 400, self._error("Name is no text")
        return 200 if body is None else 201, rex

    def _error(self, message: str) -> dict[str, str]:
        return {"code": "error", "message": message}


def shelf_pets(without: str) -> dict[str, Any]:
    """The pet shop whose pets have keepers, owners and versions, with one of its promises on pets taken out."""
    document = shelf_document.document()
    if without == "resource":
        del document["x-promises"]["resource"]["note"]
    for path in ("/notes", "/notes/{id}"):
        for operation in (document["paths"][path].get(method, {}) for method in METHODS):
            operation.get("x-promises", {}).pop(without, None)
    return renamed(document, SHELF)


class PetShelf(Shelf):
    """The shelf under the pet shop's names."""

    def _handle(self, request: Request) -> Any:
        body = request.body and request.body.replace(b'"keeper"', b'"writer"')
        return super()._handle(replace(request, operation=_own(SHELF, request.operation), body=body))


class PrivateShelf(PetShelf):
    """A shelf of pets that their owners alone see; a stranger does not learn that one is there, but by `existence`."""

    def _handle(self, request: Request) -> Any:
        if request.operation != "getPet":
            return (yield from super()._handle(request))
        yield
        caller = self.people.get(dict(request.identity.headers).get("Authorization", "").removeprefix("Bearer t-"))
        if caller is None:
            raise Refused(401)
        note = self._note(request.path.strip("/").split("/")[1])
        self._gate(caller, note, "notes.get")
        return 200, dict(note)

    def _gate(self, caller: dict[str, Any], note: dict[str, Any], name: str) -> None:
        try:
            super()._gate(caller, note, name)
        except Refused as refused:
            raise refused if self.has("existence") else Refused(404) from refused


def shop_pets() -> dict[str, Any]:
    """The pet shop whose orders draw pets from its stock, without the promise that they do."""
    document = shop_sim.document()
    del document["paths"]["/orders"]["post"]["x-promises"]
    return renamed(document, SHOP)


class PetShop(Shop):
    """The shop under the pet shop's names."""

    def _answer(self, request: Request, looked: dict[str, Any] | None) -> Response:
        body = request.body and request.body.replace(b'"petId"', b'"productId"')
        return super()._answer(replace(request, operation=_own(SHOP, request.operation), body=body), looked)


def limiter_pets() -> dict[str, Any]:
    """The pet shop whose list is limited, without the promise that it is."""
    document = limiter_sim.document(limiter_sim.LIMIT)
    for path in ("/things", "/people"):
        for operation in document["paths"][path].values():
            del operation["x-promises"]
    return renamed(document, LIMITER)


def read(document: dict[str, Any]) -> Contract:
    """The contract of a document."""
    return Contract.read(document, "pet shop")


def _own(names: Mapping[str, str], operation: str) -> str:
    return next((own for own, other in names.items() if other == operation), operation)
