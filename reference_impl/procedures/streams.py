"""Streams of events: any public channels, or the products' alone; they resume after the id that was seen last."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_impl.contract.event import Event
from reference_impl.contract.fields import Id  # noqa: TC001 - msgspec reads annotations
from reference_impl.contract.procedure import SIGNED_IN, Call, Procedure, Reply
from reference_impl.data.database import DatabaseError
from reference_impl.errors import ApiError, invalid
from reference_impl.realtime.channels import ChannelEvent, Filter, OrderEvent, ProductEvent, shown
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
        self._standing = Standing(call.database, call.tenant, call.identity, api_key)
        self._heartbeat_s = settings.heartbeat_s
        self._leave = call.services.feeds.streams.take((call.tenant, call.identity.user_id), self)
        self._follower = Follower(feed, frozenset((*asked.channels, SESSIONS)), after, settings.waiting)

    async def events(self) -> AsyncIterator[Event]:
        """Yield what the reader is shown."""
        try:
            while True:
                record = await self._follower.next(self._heartbeat_s)
                if record is None or record.channel == SESSIONS:
                    if record is None or self._standing.over(record):
                        await self._standing.again()
                elif (event := self._event(record)) is not None:
                    yield event
        except (Ended, ApiError, DatabaseError):
            # The answer has begun, so an end is all that can be told; the reader comes again with the last id.
            return
        finally:
            self._follower.close()
            self._leave()

    def _event(self, record: Record) -> Event | None:
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


_RESUME = {
    "Last-Event-ID": {
        "description": "The id of the last event seen; the stream goes on after it, without a gap or a duplicate.",
        "schema": {"type": "string", "pattern": "^[0-9]{1,18}$", "examples": ["17"]},
    }
}

PROCEDURES = (
    Procedure(
        id="events.stream",
        method="GET",
        path="/events",
        summary="Events as they are committed",
        description="Server-Sent Events without an end; the schema is that of `data`. `Last-Event-ID` resumes.",
        handler=events,
        access=SIGNED_IN,
        limit="stream",
        query=EventQuery,
        output=ProductEvent | OrderEvent,
        request_headers=_RESUME,
        response_headers=("Cache-Control", "X-Accel-Buffering"),
        stream=True,
    ),
    Procedure(
        id="products.subscribe",
        method="GET",
        path="/product-events",
        summary="Events of products as they are committed",
        description="Server-Sent Events without an end; the schema is that of `data`. `Last-Event-ID` resumes.",
        handler=product_events,
        access=SIGNED_IN,
        limit="stream",
        query=ProductEventQuery,
        output=ProductEvent,
        request_headers=_RESUME,
        response_headers=("Cache-Control", "X-Accel-Buffering"),
        stream=True,
    ),
)
