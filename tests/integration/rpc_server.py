"""The reference API with procedures of a test's own, and a bare echo of the RPC codec at /codec/echo.

The clients of npm/ are run against it: `rpc_server.py` takes its settings from the environment as the API does.
"""

from __future__ import annotations

import asyncio
import os
from datetime import datetime  # noqa: TC003 - msgspec reads the annotation at run time
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, Meta

from reference_impl.application import Application, Parts
from reference_impl.contract.event import Event
from reference_impl.contract.procedure import ANYONE, SIGNED_IN, Call, Procedure, Reply
from reference_impl.contract.upload import Upload  # noqa: TC001 - msgspec reads the annotation at run time
from reference_impl.edge.bodies import read_bytes
from reference_impl.errors import ApiError
from reference_impl.procedures.catalogue import PROCEDURES
from reference_impl.rpc.codec import decode, encode
from reference_impl.serving import serve
from reference_impl.settings import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

_LAST = 50
_streams: list[str] = []


class Rich(msgspec.Struct, rename="camel"):
    """What JSON has no word for."""

    taken_at: datetime
    tags: set[str]
    count: int
    more: Any = None


class Picture(msgspec.Struct, forbid_unknown_fields=True):
    """A file and a word about it."""

    file: Upload
    title: str = ""


class Measured(msgspec.Struct):
    """What came of a file."""

    name: str
    bytes: list[int]
    title: str


class Range(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """How far to count."""

    up_to: Annotated[int, Meta(ge=1, le=99)]


class Tick(msgspec.Struct):
    """What a stream gives."""

    number: int


class Open(msgspec.Struct):
    """How many streams are open."""

    count: int


async def echo(call: Call[Rich, None]) -> Reply:
    """Answer the input."""
    return Reply(call.body)


async def measure(call: Call[Picture, None]) -> Reply:
    """Answer a file's name and bytes."""
    file = call.body.file
    return Reply(Measured(file.name, list(file.data), call.body.title))


async def tick(call: Call[None, Range]) -> Reply:
    """Count from after Last-Event-ID; past 50 the stream fails."""

    async def events() -> AsyncIterator[Event]:
        for number in range(int(call.headers.get("last-event-id", "0")) + 1, call.query.up_to + 1):
            if number > _LAST:
                raise ApiError("CONFLICT", "No more.")
            yield Event(str(number), "tick", Tick(number))

    return Reply(events())


async def wait(call: Call[None, None]) -> Reply:
    """Answer one event and stay open."""

    async def events() -> AsyncIterator[Event]:
        _streams.append(call.identity.user_id)
        try:
            yield Event("1", "tick", Tick(1))
            await asyncio.Event().wait()
        finally:
            _streams.remove(call.identity.user_id)

    return Reply(events())


async def count(_call: Call[None, None]) -> Reply:
    """Answer how many streams are open."""
    return Reply(Open(len(_streams)))


OWN = (
    Procedure("test.echo", "POST", "/test/echo", "Echo", echo, ANYONE, "get", input=Rich, output=Rich),
    Procedure(
        "test.measure",
        "POST",
        "/test/{id}/measure",
        "Measure",
        measure,
        ANYONE,
        "upload",
        input=Picture,
        output=Measured,
        multipart=True,
    ),
    Procedure(
        "test.tick", "GET", "/test/tick", "Tick", tick, SIGNED_IN, "stream", query=Range, output=Tick, stream=True
    ),
    Procedure("test.wait", "GET", "/test/wait", "Wait", wait, SIGNED_IN, "stream", output=Tick, stream=True),
    Procedure("test.open", "GET", "/test/open", "Open", count, ANYONE, "get", output=Open),
)


class Served(Application):
    """The application, and beside it the codec by itself."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http" or scope["path"] != "/codec/echo":
            await super().__call__(scope, receive, send)
            return
        sent = msgspec.json.decode(await read_bytes(receive, 1_000_000))
        encoded = encode(decode(sent.get("json", UNSET), sent.get("meta")))
        told = {} if encoded.json is UNSET else {"json": encoded.json}
        body = msgspec.json.encode({**told, "meta": encoded.meta} if encoded.meta else told)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    made = Parts(procedures=(*PROCEDURES, *OWN))
    raise SystemExit(serve(lambda: Served(load(dict(os.environ)), made), "127.0.0.1", 0, 1))
