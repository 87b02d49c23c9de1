"""Sends events as Server-Sent Events (WHATWG HTML, 9.2), with comments as heartbeats while nothing happens."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from reference_impl.edge.answers import encode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from starlette.types import Receive, Send

    from reference_impl.contract.event import Event

HEADERS = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)
HEARTBEAT = b": still here\n\n"


def frame(event: Event) -> bytes:
    """Return the bytes of one event; JSON has no line break, so `data` is one line."""
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
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *headers]})
    await send({"type": "http.response.body", "body": HEARTBEAT, "more_body": True})
    leaving = asyncio.create_task(_left(receive))
    next_event: asyncio.Task[Event] | None = None
    try:
        while True:
            next_event = next_event or asyncio.create_task(_next(events))
            done, _ = await asyncio.wait(
                {leaving, next_event}, timeout=heartbeat_s, return_when=asyncio.FIRST_COMPLETED
            )
            if leaving in done:
                return
            if next_event in done:
                try:
                    body = frame(next_event.result())
                except StopAsyncIteration:
                    break
                next_event = None
            else:
                body = HEARTBEAT
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        await _end(leaving, next_event)
        if (close := getattr(events, "aclose", None)) is not None:
            await close()


async def _next(events: AsyncIterator[Event]) -> Event:
    return await anext(events)


async def _left(receive: Receive) -> None:
    """Return when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _end(*tasks: asyncio.Task[object] | asyncio.Task[None] | asyncio.Task[Event] | None) -> None:
    for task in tasks:
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                await task
