"""Streams of events: any public channels, or the products' alone; they resume after the id that was seen last."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_impl.contract.event import Event
from reference_impl.contract.fields import Id  # noqa: TC001 - msgspec reads annotations
from reference_impl.contract.procedure import SIGNED_IN, Call, Procedure, Reply
from reference_impl.data.database import DatabaseError
from reference_impl.errors import ApiError, invalid
from reference_impl.realtime.channels import ChannelEvent, Filter, OrderEvent, ProductEvent, Reset, shown
from reference_impl.realtime.feed import Forgotten
from reference_impl.realtime.follower import Ended, Follower
from reference_impl.realtime.standing import SESSIONS, Standing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from reference_impl.realtime.feed import Feed, Record

_ID = re.compile(r"[0-9]{1,18}")
# What a stream of all channels carries, and its order in the document.
_STREAMED = ("products", "orders")


class EventQuery(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One channel, or all."""

    channel: Annotated[Literal["products", "orders"], Meta(description="One channel, or all.")] | UnsetType = UNSET


class ProductEventQuery(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One category, or all; a product that moves is told to both."""

    category_id: Annotated[Id, Meta(description="Products of one category, or all.")] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Asked:
    """What one stream is about."""

    channels: tuple[str, ...]
    filter: Filter = Filter()  # noqa: RUF009 - frozen
    named: bool = False
    """Whether an event's name tells its channel."""


class Stream:
    """One reader's stream: ends when the session does, when the reader is too slow and when the server ends."""

    def __init__(self, call: Call[Any, Any], feed: Feed, asked: Asked, after: int) -> None:
        settings = call.services.settings.realtime
        self._asked = asked
        api_key = (call.services.settings.identity.token_key, call.headers.get("x-api-key", ""))
        self._standing = Standing(call.database, call.tenant, call.identity, api_key, settings.heartbeat_s)
        self._feed = feed
        self._waiting = settings.waiting
        self._leave = call.services.feeds.streams.take((call.tenant, call.identity.user_id), self)
        self._follower = self._from(after)
        self._told = after
        """The id that the reader goes on from when the connection is lost now."""

    def _from(self, after: int) -> Follower:
        return Follower(self._feed, frozenset((*self._asked.channels, SESSIONS)), after, self._waiting)

    async def events(self) -> AsyncIterator[Event]:
        """Yield what the reader is shown; at the start, and while that is nothing, the id to go on from."""
        # The answer has begun, so an end is all that can be told; the reader comes again with the last id.
        with suppress(Ended, ApiError, DatabaseError):
            try:
                yield Event(str(self._told))
                while True:
                    event = await self._next()
                    if event is not None:
                        yield event
            finally:
                self._follower.close()
                self._leave()

    async def _next(self) -> Event | None:
        """Wait for the next record or for the time to look again; return what the reader is to be told of it."""
        try:
            record = await self._follower.next(self._standing.holds_s)
        except Forgotten:
            return await self._reset()
        due = not self._standing.holds_s
        if due or (record is not None and record.channel == SESSIONS and self._standing.concerned(record)):
            await self._standing.again()
        event = self._event(record) if record is not None else None
        position = self._follower.position
        if event is None and due and position > self._told:
            event = Event(str(position))
        if event is not None:
            self._told = int(event.id)
        return event

    async def _reset(self) -> Event:
        """Go on from the newest event: what the reader fetches from now on is not older."""
        self._follower.close()
        self._told = await self._feed.newest()
        self._follower = self._from(self._told)
        return Event(str(self._told), "stream.reset" if self._asked.named else "reset", Reset())

    def _event(self, record: Record) -> Event | None:
        if record.channel == SESSIONS:
            return None
        value: ChannelEvent | None = shown(record, self._standing.identity, self._asked.filter)
        if value is None:
            return None
        kind = f"{record.channel}.{record.kind}" if self._asked.named else record.kind
        return Event(str(record.id), kind, value)


async def open_stream(call: Call[Any, Any], asked: Asked) -> Reply:
    """Return a stream from the last id seen on, or from now: what is written after the answer began is in it."""
    feed = call.services.feeds.of(call.tenant, call.database)
    newest = await feed.newest()
    told = call.headers.get("last-event-id")
    if told is not None and not _ID.fullmatch(told):
        raise invalid("Last-Event-ID", "it must be the id of an event")
    # An id that was never given out is no position; it is taken for the newest.
    after = newest if told is None else min(int(told), newest)
    return Reply(Stream(call, feed, asked, after).events())


async def events(call: Call[None, EventQuery]) -> Reply:
    """Return the events of one or all channels."""
    channel = call.query.channel
    return await open_stream(call, Asked(_STREAMED if channel is UNSET else (channel,), named=True))


async def product_events(call: Call[None, ProductEventQuery]) -> Reply:
    """Return the events of products."""
    category = call.query.category_id
    return await open_stream(call, Asked(("products",), Filter(None if category is UNSET else category)))


_DESCRIPTION = (
    "Server-Sent Events without an end; the schema is that of `data`. A stream begins with an `id` without an event, "
    "and more of these follow while nothing is told, so there is always one to resume from by `Last-Event-ID`. Where "
    "what followed that id is no longer kept, an event of type `reset` says so: fetch anew and go on with what follows."
)
_RESUME = {
    "Last-Event-ID": {
        "description": "The last `id` seen; the stream goes on after it, without a gap or a duplicate.",
        "schema": {"type": "string", "pattern": "^[0-9]{1,18}$", "examples": ["17"]},
    }
}

PROCEDURES = (
    Procedure(
        id="events.stream",
        method="GET",
        path="/events",
        summary="Events as they are committed",
        description=_DESCRIPTION,
        handler=events,
        access=SIGNED_IN,
        limit="stream",
        query=EventQuery,
        output=ProductEvent | OrderEvent | Reset,
        request_headers=_RESUME,
        response_headers=("Cache-Control", "X-Accel-Buffering"),
        stream=True,
    ),
    Procedure(
        id="products.subscribe",
        method="GET",
        path="/product-events",
        summary="Events of products as they are committed",
        description=_DESCRIPTION,
        handler=product_events,
        access=SIGNED_IN,
        limit="stream",
        query=ProductEventQuery,
        output=ProductEvent | Reset,
        request_headers=_RESUME,
        response_headers=("Cache-Control", "X-Accel-Buffering"),
        stream=True,
    ),
)
