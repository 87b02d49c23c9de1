"""Sends events as Server-Sent Events (WHATWG HTML, 9.2), with comments as heartbeats while nothing happens."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from reference_impl.edge.answers import encode

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable

    from starlette.types import Message, Receive, Send

    from reference_impl.contract.event import Event

HEADERS = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)
HEARTBEAT = b": still here\n\n"


class StalledError(Exception):
    """The client takes nothing."""


def frame(event: Event) -> bytes:
    """Return the bytes of one event; JSON has no line break, so `data` is one line.

    A client keeps the id of an event without data and gives it to nobody (9.2.6).
    """
    if not event.kind:
        return b"id: %b\n\n" % event.id.encode()
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event.id.encode(), event.kind.encode(), encode(event.data))


async def send_events(
    receive: Receive,
    send: Send,
    events: AsyncIterator[Event],
    headers: Iterable[tuple[bytes, bytes]] = (),
    *,
    heartbeat_s: float,
) -> None:
    """Send until the iterator ends or the client leaves; the iterator is closed either way."""
    await send_frames(receive, send, frames(events), headers, heartbeat_s=heartbeat_s)


async def frames(events: AsyncIterator[Event]) -> AsyncGenerator[bytes, None]:
    """Give the bytes of each event."""
    try:
        async for event in events:
            yield frame(event)
    finally:
        await close(events)


async def close(events: AsyncIterator[Event]) -> None:
    """Close an iterator that can be closed."""
    if (aclose := getattr(events, "aclose", None)) is not None:
        await aclose()


async def send_head(send: Send, events: AsyncIterator[Event], headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Answer HEAD with what a stream's answer begins with; the events are closed before one is asked for."""
    await close(events)
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *headers]})
    await send({"type": "http.response.body", "body": b""})


async def send_frames(
    receive: Receive,
    send: Send,
    chunks: AsyncGenerator[bytes, None],
    headers: Iterable[tuple[bytes, bytes]] = (),
    *,
    heartbeat_s: float,
) -> None:
    """Send frames, and heartbeats between them, until they end or the client leaves; they are closed either way.

    A client that takes nothing for `heartbeat_s` is let go: the answer stays unfinished, and its connection ends.
    """
    leaving = asyncio.create_task(_left(receive))
    next_chunk: asyncio.Task[bytes] | None = None
    try:
        await _give(send, {"type": "http.response.start", "status": 200, "headers": [*HEADERS, *headers]}, heartbeat_s)
        body = HEARTBEAT
        while True:
            await _give(send, {"type": "http.response.body", "body": body, "more_body": True}, heartbeat_s)
            next_chunk = next_chunk or asyncio.create_task(_next(chunks))
            done, _ = await asyncio.wait(
                {leaving, next_chunk}, timeout=heartbeat_s, return_when=asyncio.FIRST_COMPLETED
            )
            if leaving in done:
                return
            if next_chunk in done:
                try:
                    body = next_chunk.result()
                except StopAsyncIteration:
                    break
                next_chunk = None
            else:
                body = HEARTBEAT
        await _give(send, {"type": "http.response.body", "body": b"", "more_body": False}, heartbeat_s)
    except StalledError:
        return
    finally:
        await _end(leaving, next_chunk)
        await chunks.aclose()


async def _give(send: Send, message: Message, limit_s: float) -> None:
    """Send one message; StalledError when the client does not take so long what was sent before."""
    try:
        async with asyncio.timeout(limit_s):
            await send(message)
    except TimeoutError:
        raise StalledError from None


async def _next(chunks: AsyncGenerator[bytes, None]) -> bytes:
    return await anext(chunks)


async def _left(receive: Receive) -> None:
    """Return when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _end(*tasks: asyncio.Task[object] | asyncio.Task[None] | asyncio.Task[bytes] | None) -> None:
    for task in tasks:
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                await task
