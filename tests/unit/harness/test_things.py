"""What a case needs is made fresh, in the order that the contract's prerequisites tell."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from harness import things
from harness.actors import Actors
from harness.contract import Contract
from harness.errors import CannotTell
from harness.exchange import Exchange, Request, Response
from harness.stage import Stage

if TYPE_CHECKING:
    from harness.case import Steps

ID = {"type": "string"}


def answer(name: str) -> dict[str, Any]:
    """A 201 that tells an id under this name."""
    schema = {"type": "object", "properties": {name: ID}}
    return {"201": {"description": "made", "content": {"application/json": {"schema": schema}}}}


def taking(**members: Any) -> dict[str, Any]:
    """A body with these members, all required."""
    schema = {"type": "object", "properties": members, "required": list(members)}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def path(name: str) -> dict[str, Any]:
    """A path parameter."""
    return {"name": name, "in": "path", "required": True, "schema": ID}


FARMS: dict[str, Any] = {
    "/farms": {"post": {"operationId": "farms.add", "responses": answer("farm_id")}},
    "/farms/{farm_id}/cows": {
        "parameters": [path("farm_id")],
        "post": {"operationId": "cows.add", "responses": answer("cow_id")},
    },
    "/farms/{farm_id}/cows/{cow_id}": {
        "parameters": [path("farm_id"), path("cow_id")],
        "get": {"operationId": "cows.get", "responses": {}},
    },
    "/milkings": {
        "parameters": [{"name": "cow_id", "in": "query", "required": True, "schema": ID}],
        "post": {"operationId": "milk", "requestBody": taking(farm_id=ID, moonId=ID), "responses": {}},
    },
    "/moons/{moonId}": {
        "parameters": [path("moonId")],
        "get": {"operationId": "moons.get", "responses": {}},
    },
}


def stage() -> Stage:
    """The farms, without identities."""
    document = {"openapi": "3.1.0", "info": {"title": "farms", "version": "1"}, "paths": FARMS}
    return Stage(Contract(document), Actors({}), Random(1), "n")


def driven(steps: Steps[Any], status: int = 201) -> tuple[list[Request], Request]:
    """What a set-up sent, each answered with a fresh id, or with nothing for 0, and the request that it readied."""
    sent: list[Request] = []
    exchange: Any = None
    while True:
        try:
            request = steps.send(exchange)
        except StopIteration as ended:
            return sent, ended.value
        assert isinstance(request, Request), "a set-up sends one request at a time"
        sent.append(request)
        told = {f"{name}_id": f"{name}{len(sent)}" for name in ("farm", "cow")}
        response = Response(status, (("Content-Type", "application/json"),), json.dumps(told).encode())
        error = "" if status else "timed out"
        exchange = Exchange(
            str(len(sent)), request, response if status else None, due_ns=0, sent_ns=0, done_ns=1, error=error
        )


def test_a_nested_thing_is_made_under_the_parent_that_the_path_names() -> None:
    """One farm is made, the cow in it, and the request names both."""
    world = stage()
    sent, ready = driven(things.valid(world, world.contract.by_id["cows.get"], identity=world.anonymous()))
    assert [(item.operation, item.path) for item in sent] == [
        ("farms.add", "/farms"),
        ("cows.add", "/farms/farm1/cows"),
    ]
    assert ready.path == "/farms/farm1/cows/cow2"


def test_a_query_and_a_body_are_filled_with_fresh_things() -> None:
    """A required query parameter and a member that name things hold ids of fresh ones; one unknown is drawn."""
    world = stage()
    sent, ready = driven(things.valid(world, world.contract.by_id["milk"], identity=world.anonymous()))
    assert [item.operation for item in sent] == ["farms.add", "cows.add", "farms.add"]
    assert dict(ready.query) == {"cow_id": "cow2"}
    assert ready.json()["farm_id"] == "farm3"
    assert ready.json()["moonId"].startswith("moonId-n")


def test_what_is_not_known_is_the_reason() -> None:
    """A path that nothing tells cannot be called, and the reason says how to tell it."""
    world = stage()
    with pytest.raises(CannotTell, match=r"moons.get: nothing tells what \{moonId\} is; declare its resource under"):
        driven(things.valid(world, world.contract.by_id["moons.get"], identity=world.anonymous()))


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (0, "^farms.add gave no answer: timed out$"),
        (
            401,
            "^farms.add answered 401 to nobody, whom its contract lets call it; where it asks for an identity, ",
        ),
        (400, "^farms.add answered 400 to a body that fits its schema: "),
    ],
)
def test_why_nothing_was_made_is_told(status: int, reason: str) -> None:
    """A time-out and a caller who is not let in are no fault of the body."""
    world = stage()
    with pytest.raises(CannotTell, match=reason):
        driven(things.valid(world, world.contract.by_id["cows.get"], identity=world.anonymous()), status)
