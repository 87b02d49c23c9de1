"""The public channels: who may subscribe, who may publish, and what of an event a reader is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from reference_impl.contract.fields import Id, Version  # noqa: TC001 - msgspec reads annotations
from reference_impl.contract.procedure import ANYONE, SELLER, SIGNED_IN, Access
from reference_impl.errors import ApiError, unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.identity.tokens import Identity
    from reference_impl.realtime.feed import Record

ChannelName = Literal["products", "orders", "announcements"]


class ProductEvent(msgspec.Struct, rename="camel", tag_field="channel", tag="products", frozen=True):
    """A product was made, changed or deleted; of deletions only admins hear.

    Each change of what its reading shows is told: an order's drawing on the stock and its category's new name too.
    """

    type: Literal["created", "updated", "deleted"]
    id: Id
    version: Version | UnsetType = UNSET
    category_id: Id | UnsetType = UNSET
    previous_category_id: Id | UnsetType = UNSET
    """Where it stood before this change, when that moved it."""


class OrderEvent(msgspec.Struct, rename="camel", tag_field="channel", tag="orders", frozen=True):
    """An order of the reader's was placed or cancelled."""

    type: Literal["created", "cancelled"]
    id: Id
    user_id: Id


class Announcement(msgspec.Struct, rename="camel", tag_field="channel", tag="announcements", frozen=True):
    """What a seller or an admin has to say."""

    type: Literal["published"]
    user_id: Id
    data: Annotated[dict[str, Any], msgspec.Meta(description="Any JSON object.")]


class Reset(msgspec.Struct, rename="camel", tag_field="channel", tag="stream", frozen=True):
    """Events after the id that was asked for are no longer kept: fetch anew; what follows is after this event's id."""

    type: Literal["reset"] = "reset"


ChannelEvent = ProductEvent | OrderEvent | Announcement


@dataclass(frozen=True, slots=True)
class Filter:
    """What a reader asks of a channel."""

    category_id: str | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """`shows` says whether a reader sees an event; `publish` is who may put one in from outside."""

    kind: type[ChannelEvent]
    subscribe: Access
    publish: Access | None
    shows: Callable[[ChannelEvent, Identity | None, Filter], bool]


def _product(event: ChannelEvent, reader: Identity | None, asked: Filter) -> bool:
    assert isinstance(event, ProductEvent)
    if event.type == "deleted" and not (reader is not None and reader.admin):
        return False
    return asked.category_id is None or asked.category_id in {event.category_id, event.previous_category_id}


def _order(event: ChannelEvent, reader: Identity | None, _asked: Filter) -> bool:
    assert isinstance(event, OrderEvent)
    return reader is not None and event.user_id == reader.user_id


def _announcement(_event: ChannelEvent, _reader: Identity | None, _asked: Filter) -> bool:
    return True


CHANNELS: dict[str, Channel] = {
    "products": Channel(ProductEvent, ANYONE, None, _product),
    "orders": Channel(OrderEvent, SIGNED_IN, None, _order),
    "announcements": Channel(Announcement, SIGNED_IN, SELLER, _announcement),
}


def shown(record: Record, reader: Identity | None, asked: Filter) -> ChannelEvent | None:
    """Return a record of a public channel as this reader is shown it, or None."""
    channel = CHANNELS[record.channel]
    try:
        event = msgspec.convert({**record.data, "channel": record.channel, "type": record.kind}, channel.kind)
    except msgspec.ValidationError:  # it was written before an event said whose it is, so nobody is shown it
        return None
    return event if channel.shows(event, reader, asked) else None


def admit(access: Access | None, reader: Identity | None) -> None:
    """UNAUTHORIZED where nobody is signed in, FORBIDDEN where the roles do not suffice."""
    if access is not None and access.open:
        return
    if reader is None:
        raise unauthorized("Sign in first.")
    if access is None or not access.admits(reader.roles):
        raise ApiError("FORBIDDEN", "This channel is not for you.")
