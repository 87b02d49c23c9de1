"""What the things of a ledger cost: the numbers that a create takes, and those that many are given at once."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.actors import Actors
from harness.case import Case
from harness.contract import Contract
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.identities import ANONYMOUS
from harness.promises.ledger import varied
from harness.promises.ledger.cases import cases
from harness.stage import Stage
from harness.things import Thing
from tests.unit.harness.promises.shop_sim import LEDGER, Shop, examined
from tests.unit.harness.promises.shop_sim import document as shop_document

TEXT = {"type": "string"}
PERCENT = {"type": "integer", "minimum": 0, "maximum": 100}
BULK = {"items": "/ids", "resource": "pet", "done": "/done", "failed": "/failed"}


def contract(id_: Any = TEXT, **more: Any) -> Contract:
    """Pets, of which many are given a discount at once; `more` is what else that body has beside the ids."""

    def operation(name: str, body: Any = None, **told: Any) -> dict[str, Any]:
        sent = {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}} if body else {}
        return {"operationId": name, "responses": {"200": {"description": "so"}}, **sent, **told}

    ids = {"type": "array", "items": id_}
    many = {"type": "object", "properties": {"ids": ids, "discount": PERCENT, **more}, "required": ["ids"]}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "pets", "version": "1"},
        "x-promises": {"resource": {"pet": {"create": "pets.create", "read": "pets.get", "id": "/id"}}},
        "paths": {
            "/pets": {
                "post": operation("pets.create", {"type": "object", "properties": {"price": {"type": "number"}}})
            },
            "/pets/{id}": {"get": operation("pets.get")},
            "/pets/bulk": {"post": operation("pets.change", many, **{"x-promises": {"bulk": BULK}})},
        },
    }
    document["paths"]["/pets/{id}"]["parameters"] = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]
    return Contract.read(document, "pets")


class Answering:
    """A target that takes whatever it is sent."""

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One answer."""
        return Exchange("x", request, Response(200, (), b"{}"), 1, 1, 1, case=case)


@given(st.integers(0, 1000), st.sampled_from([TEXT, {"type": ["string", "null"]}]))
def test_many_are_given_numbers_away_from_their_bounds(seed: int, id_: Any) -> None:
    """One call names them all, with a number between the bounds; what need not be there and is none is left out."""
    told = contract(id_, tag=TEXT)
    resource = told.resource("pet")
    assert resource is not None
    made = [
        Thing(resource, name, ANONYMOUS, Exchange("x", Request("POST", "/pets"), Response(201), 1, 1, 1), {})
        for name in ("one", "two")
    ]
    stage = Stage(told, Actors({}, {}), Random(seed), "n0nc")
    case = Case("ledger", "pets.change", "n", lambda on: varied.together(on, resource, made))
    (exchange,) = drive(case, stage, Answering()).exchanges
    body = json.loads(exchange.request.body or b"")
    assert body["ids"] == ["one", "two"]
    assert 0 < body["discount"] < 100
    assert set(body) == {"ids", "discount"}


@pytest.mark.parametrize(("unit", "is_varied"), [("/price", False), ("/finalPrice", True)])
def test_only_a_unit_that_is_reckoned_is_given_more_to_be_reckoned_from(unit: str, *, is_varied: bool) -> None:
    """A discount is set where it may change the unit that is read; else it, or a tax, could change the total alone."""
    told = shop_document()
    made = told["paths"]["/products"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    made["properties"] = {**made["properties"], "discount": PERCENT}
    told["paths"]["/orders"]["post"]["x-promises"] = {"ledger": {**LEDGER, "unit": unit}}
    shop = Contract.read(told, "shop")
    amount = next(item for item in cases(shop, shop.by_id["orders.create"], Random(1)) if item.name == "amount")
    _, done = examined(Shop(), amount, contract=shop)
    bodies = [item.request.json() for item in done.exchanges if item.operation == "products.create"]
    assert {body["price"] for body in bodies} == {0.29, 19.99, 19.95}
    assert any("discount" in body for body in bodies) is is_varied


@given(st.floats(0.01, 100).map(lambda value: round(value, 2)), st.sampled_from(["/price", "/finalPrice"]))
def test_a_price_is_set_where_it_can_be(amount: float, unit: str) -> None:
    """By its own name or as what the unit is reckoned from; a unit that nothing sets is left alone."""
    told = contract()
    assert varied.cost(told, told.by_id["pets.create"], unit, amount) == {"/price": amount}
    assert varied.cost(told, told.by_id["pets.create"], "/weight", amount) == {}
