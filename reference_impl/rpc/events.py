"""Streams as event iterators: an event a value, `done` at the end, `error` when the stream fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reference_impl.edge.answers import encode
from reference_impl.edge.stream import close

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from reference_impl.contract.event import Event

Write = Callable[[Any], bytes]
DONE = b"event: done\n\n"


def frame(event: Event, write: Write) -> bytes:
    """Return the bytes of one event; JSON has no line break, so `data` is one line."""
    if not event.kind:
        return b"id: %b\n\n" % event.id.encode()
    return b"event: message\nid: %b\ndata: %b\n\n" % (event.id.encode(), write(event.data))


async def frames(
    events: AsyncIterator[Event], write: Write, failed: Callable[[Exception], dict[str, Any]]
) -> AsyncGenerator[bytes, None]:
    """Give the bytes of each event, then of the end; `failed` says what an error is told as."""
    try:
        async for event in events:
            yield frame(event, write)
        yield DONE
    except Exception as error:  # noqa: BLE001 - `failed` logs it; the response has begun, so it ends in an event
        yield b"event: error\ndata: %b\n\n" % encode(failed(error))
    finally:
        await close(events)
