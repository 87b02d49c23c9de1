"""Files, streams and values beyond JSON over RPC, by procedures of the test's own."""

from __future__ import annotations

import json
from datetime import datetime  # noqa: TC003 - msgspec reads the annotation at run time
from typing import TYPE_CHECKING, Any

import msgspec

from reference_impl.application import Parts
from reference_impl.contract.event import Event
from reference_impl.contract.procedure import ANYONE, SIGNED_IN, Call, Procedure, Reply
from reference_impl.contract.upload import Upload  # noqa: TC001 - msgspec reads the annotation at run time
from reference_impl.errors import ApiError
from reference_impl.procedures.catalogue import PROCEDURES
from reference_impl.procedures.product_types import Product
from reference_impl.realtime.channels import ProductEvent
from reference_impl.rpc.writing import OutputWriter, beyond_json
from tests.unit.reference_impl.rpc_calls import failure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import httpx


class Picture(msgspec.Struct, forbid_unknown_fields=True):
    """A file and a word about it."""

    file: Upload
    title: str = ""


class Size(msgspec.Struct):
    """How large a file is."""

    bytes: int
    name: str


class Tick(msgspec.Struct):
    """What a stream gives."""

    number: int


async def measure(call: Call[Picture, None]) -> Reply:
    """Answer a file's size."""
    return Reply(Size(len(call.body.file.data), call.body.file.name))


async def tick(_call: Call[None, None]) -> Reply:
    """Answer two events and a failure."""

    async def events() -> AsyncIterator[Event]:
        yield Event("1", "tick", Tick(1))
        yield Event("2", "tick", Tick(2))
        raise ApiError("CONFLICT", "No more.")

    return Reply(events())


UPLOAD = Procedure(
    id="test.measure",
    method="POST",
    path="/test/{id}/measure",
    summary="Measure",
    handler=measure,
    access=ANYONE,
    limit="get",
    input=Picture,
    output=Size,
    multipart=True,
)


STREAM = Procedure(
    id="test.tick",
    method="GET",
    path="/test/tick",
    summary="Tick",
    handler=tick,
    access=SIGNED_IN,
    limit="list",
    output=Tick,
    stream=True,
)


def form(shop: Any, envelope: Any, files: dict[str, Any], **more: str) -> httpx.Response:
    """Call the procedure that takes a file."""
    data = {"data": json.dumps(envelope), **more}
    answer: httpx.Response = shop.send("POST", "/api/rpc/test/measure", data=data, files=files)
    return answer


def test_a_file_comes_in_a_form(open_shop: Callable[..., Any]) -> None:
    """The file stands in the input where `maps` says; a form that does not fit is 400."""
    shop = open_shop(Parts(procedures=(*PROCEDURES, UPLOAD)))
    good = {"json": {"id": "1", "file": {}, "title": "x"}, "maps": [["file"]]}
    one = {"0": ("a.png", b"12345")}
    assert form(shop, good, one).json() == {"json": {"bytes": 5, "name": "a.png"}}
    wrong = [
        ({**good, "maps": []}, one),
        ({**good, "maps": [["nope"]]}, one),
        ({**good, "maps": [["title"]]}, one),
        ({**good, "maps": [["__proto__"]]}, one),
        ({**good, "maps": 1}, one),
        ({**good, "maps": [["file"], ["title"]]}, {**one, "1": ("b", b"1")}),
        ({"json": good["json"]}, one),
        (good, {"1": ("a", b"1")}),
        (good, {**one, "2": ("a", b"1")}),
        (good, {}),
        ({"json": {"id": "1"}, "maps": [[]]}, one),
        ([], one),
    ]
    for envelope, files in wrong:
        assert failure(form(shop, envelope, files or {"x": ("x", b"")}))["code"] == "VALIDATION_ERROR"
    plain = shop.send("POST", "/api/rpc/test/measure", json={"json": {"id": "1", "file": "text"}})
    assert failure(plain)["data"]["error"]["details"] == [{"field": "file", "message": "expected a file"}]


def test_a_stream_is_an_event_iterator(open_shop: Callable[..., Any]) -> None:
    """Each event is a message with its id, and a failure after the start ends in an error event."""
    shop = open_shop(Parts(procedures=(*PROCEDURES, STREAM)))
    user = shop.account()
    answer = shop.send("GET", "/api/rpc/test/tick", user)
    assert answer.headers["content-type"] == "text/event-stream"
    events = [event for event in answer.text.split("\n\n") if event and not event.startswith(":")]
    assert events[0] == 'event: message\nid: 1\ndata: {"json":{"number":1}}'
    assert events[1].startswith("event: message\nid: 2\n")
    name, data = events[2].split("\n")
    assert name == "event: error"
    error = json.loads(data.removeprefix("data: "))["json"]
    assert (error["code"], error["status"], error["data"]["error"]["message"]) == ("CONFLICT", 409, "No more.")
    assert len(events) == 3
    assert failure(shop.send("GET", "/api/rpc/test/tick"))["status"] == 401


class Rich(msgspec.Struct, rename="camel"):
    """What JSON has no word for, in types of Python."""

    taken_at: datetime
    tags: set[str]
    count: int
    more: Any = None


def test_types_beyond_json_are_written_with_their_meta(open_shop: Callable[..., Any]) -> None:
    """A Date, a Set and a bigint go in and come out as what they are, and a plain output has no meta."""

    async def echo(call: Call[Rich, None]) -> Reply:
        return Reply(call.body)

    procedure = Procedure("test.echo", "POST", "/test/echo", "Echo", echo, ANYONE, "list", input=Rich, output=Rich)
    shop = open_shop(Parts(procedures=(*PROCEDURES, procedure)))
    sent = {
        "json": {"takenAt": "2026-01-31T12:00:00.000Z", "tags": ["a"], "count": "9007199254740992", "more": {"a": [1]}},
        "meta": [[1, "takenAt"], [6, "tags"], [0, "count"]],
    }
    answer = shop.send("POST", "/api/rpc/test/echo", json=sent)
    assert answer.json() == sent


def test_outputs_of_the_catalogue_are_json() -> None:
    """Writing finds what JSON cannot say wherever it stands in a type."""
    told = ProductEvent("created", "1")
    assert msgspec.json.decode(OutputWriter(Any).write(told)) == {"json": msgspec.to_builtins(told)}
    assert beyond_json(Rich)
    assert beyond_json(dict[str, list[Rich | None]])
    assert not beyond_json(Product)


def test_a_file_over_the_limit_is_413(open_shop: Callable[..., Any]) -> None:
    """The limit of uploads holds in the form of a call too."""
    shop = open_shop(Parts(procedures=(*PROCEDURES, UPLOAD)), upload_limit_bytes=1024)
    envelope = {"json": {"id": "1", "file": {}}, "maps": [["file"]]}
    assert failure(form(shop, envelope, {"0": ("a", b"1" * 200_000)}))["code"] == "PAYLOAD_TOO_LARGE"
