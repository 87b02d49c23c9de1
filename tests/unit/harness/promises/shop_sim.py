"""A simulated shop that draws stock, correct or with one defect; it answers a case's requests without a network.

Requests that are released together are taken as threads of two steps, look and write, in a drawn order.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from harness.actors import Actors
from harness.contract import Contract
from harness.drive import Driven, drive
from harness.exchange import Exchange, Request, Response
from harness.promises.ledger import PROMISE
from harness.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.case import Case
    from harness.verdict import Verdict

LEDGER = {
    "resource": "product",
    "quantity": "/stock",
    "draw": "/items/*/quantity",
    "key": "/items/*/productId",
    "refused": [409],
    "restore": "orders.cancel",
    "total": "/total",
    "unit": "/price",
}
LINE = {
    "type": "object",
    "properties": {"productId": {"type": "string"}, "quantity": {"type": "integer", "minimum": 1}},
    "required": ["productId", "quantity"],
}
ORDER = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": LINE, "minItems": 1}},
    "required": ["items"],
}
PRODUCT = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "price": {"type": "number", "multipleOf": 0.01, "minimum": 0.01, "maximum": 99},
        "stock": {"type": "integer", "minimum": 0},
    },
    "required": ["name", "price", "stock"],
}


def document() -> dict[str, Any]:
    """The shop's contract."""

    def operation(name: str, schema: Any = None, promises: Any = None, *, path: bool = False) -> dict[str, Any]:
        made: dict[str, Any] = {"operationId": name, "responses": {"200": {"description": "done"}}}
        if schema:
            made["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        if promises:
            made["x-promises"] = promises
        if path:
            made["parameters"] = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
        return made

    return {
        "openapi": "3.1.0",
        "info": {"title": "shop", "version": "1"},
        "paths": {
            "/products": {"post": operation("products.create", PRODUCT)},
            "/products/{id}": {"get": operation("products.get", path=True)},
            "/orders": {"post": operation("orders.create", ORDER, {"ledger": LEDGER})},
            "/orders/{id}": {"get": operation("orders.get", path=True)},
            "/orders/{id}/cancel": {"post": operation("orders.cancel", path=True)},
        },
    }


CONTRACT = Contract(document())


@dataclass
class Shop:
    """`defect` is none, or one of the words that its methods compare it with; each breaks one thing.

    `lost` is how often an answer does not come although the server did it. A shop that is `busy` takes one call of
    those that come at once, and tells the others that they met.
    """

    defect: str = ""
    lost: float = 0.0
    busy: bool = False
    random: Random = field(default_factory=lambda: Random(1))
    products: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    now_ns: int = 10**9

    def sleep(self, seconds: float) -> None:
        """Lets the fake clock run."""
        self.now_ns += round(seconds * 1e9)

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request."""
        return self.release((request,), case=case)[0]

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """Requests in a drawn order; with the race, every look comes before the first write."""
        order = self.random.sample(range(len(requests)), len(requests))
        looks = {at: self._look(requests[at]) for at in order} if self.defect == "race" else {}
        met = set(order[1:]) if self.busy else set()
        answers = {at: _json(423, {}) if at in met else self._answer(requests[at], looks.get(at)) for at in order}
        self.now_ns += 1_000_000
        return tuple(
            Exchange(
                f"x{next(self.count)}",
                request,
                self._lose(answers[at], request),
                self.now_ns,
                self.now_ns,
                self.now_ns,
                case=case,
                group=int(len(requests) > 1),
            )
            for at, request in enumerate(requests)
        )

    def _lose(self, response: Response, request: Request) -> Response | None:
        writes = request.operation in {"orders.create", "orders.cancel"}
        return None if writes and self.random.random() < self.lost else response

    def _look(self, request: Request) -> dict[str, Any]:
        return {key: product["stock"] for key, product in self.products.items()} if request.body else {}

    def _answer(self, request: Request, looked: dict[str, Any] | None) -> Response:
        id_ = request.path.split("/")[2] if request.path.count("/") > 1 else ""
        match request.operation:
            case "products.create":
                made = {**request.json(), "id": f"p{next(self.count)}"}
                self.products[made["id"]] = made
                return _json(201, made)
            case "products.get":
                return _json(200, self.products[id_]) if id_ in self.products else _json(404, {})
            case "orders.create":
                return self._order(request.json(), looked)
            case "orders.cancel":
                return self._cancel(id_)
        raise AssertionError(request.operation)

    def _order(self, body: dict[str, Any], looked: dict[str, Any] | None) -> Response:
        items = body["items"]
        if not self._valid(body):
            return _json(400, {})
        if self.defect == "closed":
            return _json(409, {})
        if self.defect == "partial":
            return self._in_parts(items)
        stock = looked or {key: product["stock"] for key, product in self.products.items()}
        wanted: dict[str, Any] = {}
        for item in items:
            wanted[item["productId"]] = wanted.get(item["productId"], 0) + item["quantity"]
        lines = (
            [(item["productId"], item["quantity"]) for item in items]
            if self.defect == "twice"
            else list(wanted.items())
        )
        if any(stock[key] < quantity for key, quantity in lines):
            return _json(400 if self.defect == "refusal" else 409, {})
        for key, quantity in wanted.items():
            self.products[key]["stock"] -= 0 if self.defect == "lost" and self.random.random() < 0.5 else quantity
        return self._placed(body, wanted)

    def _valid(self, body: dict[str, Any]) -> bool:
        """Whether the quantities and members are such as the shop takes."""
        for item in body["items"]:
            quantity = item["quantity"]
            allowed = {"negative": quantity < 0, "zero": quantity == 0, "fraction": isinstance(quantity, float)}
            if (quantity < 1 or quantity != int(quantity)) and not allowed.get(self.defect, False):
                return False
            if set(item) - {"productId", "quantity"} and self.defect != "price":
                return False
        return not set(body) - {"items"} or self.defect == "total"

    def _in_parts(self, items: list[dict[str, Any]]) -> Response:
        for item in items:
            if self.products[item["productId"]]["stock"] < item["quantity"]:
                return _json(409, {})
            self.products[item["productId"]]["stock"] -= item["quantity"]
        return self._placed({"items": items}, {item["productId"]: item["quantity"] for item in items})

    def _placed(self, body: dict[str, Any], wanted: dict[str, Any]) -> Response:
        prices = [
            Decimal(str(item.get("price", self.products[item["productId"]]["price"]))) * Decimal(str(item["quantity"]))
            for item in body["items"]
        ]
        total = Decimal(str(body.get("total", sum(prices)))) if self.defect != "free" else Decimal(0)
        if self.defect == "cut":
            total = Decimal(int(float(sum(float(price) for price in prices)) * 100)) / 100
        order = {"id": f"o{next(self.count)}", "total": float(total), "wanted": wanted, "placed": True}
        self.orders[order["id"]] = order
        return _json(201, order)

    def _cancel(self, id_: str) -> Response:
        order = self.orders[id_]
        if not order["placed"] and self.defect != "restores":
            return _json(409, {})
        order["placed"] = False
        given_back = list(order["wanted"].items())[: 1 if self.defect == "first" else None]
        for key, quantity in given_back:
            self.products[key]["stock"] += quantity
        return _json(200, order)


def _json(status: int, value: Any) -> Response:
    return Response(status, (), json.dumps(value).encode())


def examined(shop: Shop, case: Case, *, seed: int = 1, contract: Contract = CONTRACT) -> tuple[Verdict, Driven]:
    """A case driven against the simulated shop, and what the promise says of it."""
    stage = Stage(contract, Actors({"known": [{"name": "buyer", "headers": {"X-Key": "k"}}]}), Random(seed), "n")
    driven = drive(case, stage, shop, sleep=shop.sleep)
    assert PROMISE.judge is not None
    return PROMISE.judge(contract, contract.by_id[case.operation], driven.exchanges), driven
