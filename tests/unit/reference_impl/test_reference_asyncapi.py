"""The AsyncAPI document: every message that can be sent or received stands in it, with a schema that holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import msgspec
import pytest

from reference_impl.contract.examples import example
from reference_impl.procedures.catalogue import PROCEDURES
from reference_impl.realtime import frames
from reference_impl.realtime.asyncapi import RECEIVED, SENT, render
from reference_impl.realtime.talk import json_of
from reference_impl.realtime.talk import read as read_message
from tests.unit.reference_impl.event_streams import leave, read
from tests.unit.reference_impl.web_sockets import connect

if TYPE_CHECKING:
    from tests.unit.reference_impl.conftest import Shop

DOCUMENT: dict[str, Any] = render(PROCEDURES)


def test_it_is_served(shop: Shop) -> None:
    """As JSON, the same at every call."""
    answer = shop.runner.run(shop.client.get("/asyncapi.json"))
    assert (answer.status_code, answer.json()) == (200, json.loads(msgspec.json.encode(DOCUMENT)))


def test_every_reference_leads_somewhere() -> None:
    """Channels, operations and schemas refer to what stands in the document."""

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for part in value.values() for found in references(part)]
        return [found for part in value for found in references(part)] if isinstance(value, list) else []

    for reference in references(DOCUMENT):
        place = DOCUMENT
        for word in reference.removeprefix("#/").split("/"):
            place = place[word]
        assert place


def test_every_message_stands_in_it() -> None:
    """Each type that the code declares as a message, each operation with a stream, and nothing else."""
    declared = [kind for kind in vars(frames).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
    tagged = {kind for kind in declared if kind.__struct_config__.tag and kind.__module__ == frames.__name__}
    bases = {frames.Asked, frames.Told}
    assert set(RECEIVED) | set(SENT) == tagged - bases
    channel = DOCUMENT["channels"]["socket"]
    assert set(channel["messages"]) == {kind.__name__ for kind in (*RECEIVED, *SENT)}
    told = {DOCUMENT["components"]["messages"][kind.__name__]["name"] for kind in SENT}
    assert told == {str(kind.__struct_config__.tag) for kind in SENT}
    streams = {f"/api/v1{procedure.path}" for procedure in PROCEDURES if procedure.stream}
    assert {one["address"] for one in DOCUMENT["channels"].values()} == streams | {"/api/v1/ws"}


def test_the_ways_in_are_those_that_open(shop: Shop) -> None:
    """Each scheme opens what names it; without one a socket opens, at a server that asks for none, and no stream."""
    servers = DOCUMENT["servers"]
    ways = {
        name: {scheme["$ref"].rpartition("/")[2] for scheme in server.get("security", [])}
        for name, server in servers.items()
    }
    signed_in = {"bearer", "apiKey", "cookie"}
    assert ways == {"sockets": signed_in | {"ticket"}, "anonymousSockets": set(), "streams": signed_in}
    user = shop.account()
    key = shop.send("POST", "/auth/keys", user, json={"name": "Way", "scopes": ["read"]}).json()["key"]
    schemes = DOCUMENT["components"]["securitySchemes"]
    ticket = shop.send("POST", "/ws/tickets", user).json()["ticket"]
    shown = {
        "": {},
        "bearer": {"authorization": f"Bearer {user.token}"},
        "apiKey": {schemes["apiKey"]["name"]: key},
        "cookie": {"cookie": f"{schemes['cookie']['name']}={user.token}", "host": "a", "origin": "http://a"},
    }
    assert shown.keys() == ways["streams"] | {""}
    for way, headers in shown.items():
        socket, reader = connect(shop, **headers), read(shop, "/events", **headers)
        assert (socket.came[0].get("userId"), reader.status) == ((user.id, 200) if way else (None, 401)), way
        socket.leave()
        leave(shop, reader)
    socket = connect(shop, query=f"{schemes['ticket']['name']}={ticket}")
    assert socket.came[0]["userId"] == user.id
    socket.leave()


@pytest.mark.parametrize("kind", RECEIVED, ids=lambda kind: str(kind.__struct_config__.tag))
def test_what_its_schema_takes_the_server_reads(kind: type[msgspec.Struct]) -> None:
    """An example made from a message's schema is valid by it and is read as that message."""
    payload = DOCUMENT["components"]["messages"][kind.__name__]["payload"]
    made = example(payload, DOCUMENT["components"]["schemas"])
    jsonschema_rs.validator_for({**payload, "components": DOCUMENT["components"]}).validate(made)
    assert type(read_message(json_of(json.dumps(made)))) is kind
