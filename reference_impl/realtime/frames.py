"""Every message of the WebSocket: these types read and write the frames, and the AsyncAPI document is made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_impl.contract.fields import NO_NUL, Count, Id, Time
from reference_impl.errors import ErrorBody  # noqa: TC001 - msgspec reads annotations
from reference_impl.realtime.channels import Announcement, ChannelName, OrderEvent, ProductEvent  # noqa: TC001 - same

GLOBAL = "global"
RoomName = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9_-]{0,63}$", examples=["lobby"])]
Content = Annotated[str, Meta(min_length=1, max_length=2000, pattern=NO_NUL, examples=["Good morning."])]
Mark = Annotated[str, Meta(min_length=1, max_length=64, pattern=NO_NUL, examples=["1"])]
QuestionName = Literal["newestProducts", "productCount", "roomHistory"]
Position = Annotated[int, Meta(ge=0, examples=[17])]
Members = Annotated[list[Id], Meta(description="In the order of their ids, at most 100 of them.")]
Values = Annotated[dict[str, Any], Meta(description="Any JSON object.")]


class Asked(msgspec.Struct, forbid_unknown_fields=True, rename="camel", tag_field="type", kw_only=True):
    """What a client sends; `id` is its own, and comes back as `replyTo` of the direct answer."""

    id: Mark | UnsetType = UNSET


class Ping(Asked, tag="ping"):
    """Asks for a pong; like every message it shows that the client is there."""


class JoinRoom(Asked, tag="join_room"):
    """Become a member of a room."""

    room: RoomName


class LeaveRoom(Asked, tag="leave_room"):
    """Be a member no longer."""

    room: RoomName


class ListMembers(Asked, tag="list_members"):
    """Who is in a room that one is in."""

    room: RoomName


class SendMessage(Asked, tag="message"):
    """Say something in a room that one is in."""

    content: Content
    room: RoomName = GLOBAL


class Subscribe(Asked, tag="subscribe"):
    """Be told the events of a channel from now on; of products, those of one category if it is named."""

    channel: ChannelName
    category_id: Id | UnsetType = UNSET


class Unsubscribe(Asked, tag="unsubscribe"):
    """Be told a channel's events no longer."""

    channel: ChannelName


class Publish(Asked, tag="publish"):
    """Put an event into a channel."""

    channel: ChannelName
    data: Values


class RunQuery(Asked, tag="query"):
    """Ask one of the named questions; none takes SQL."""

    name: QuestionName
    parameters: Annotated[dict[str, Any], Meta(description="Those of the question.")] = msgspec.field(
        default_factory=dict
    )


ClientFrame = Ping | JoinRoom | LeaveRoom | ListMembers | SendMessage | Subscribe | Unsubscribe | Publish | RunQuery


class Told(msgspec.Struct, forbid_unknown_fields=True, rename="camel", tag_field="type", kw_only=True):
    """What the server sends; `replyTo` is the `id` of the message that it answers."""

    reply_to: Mark | UnsetType = UNSET


class Connected(Told, tag="connected"):
    """The first message of every socket."""

    connection_id: Id
    timestamp: Time
    user_id: Id | UnsetType = UNSET


class Pong(Told, tag="pong"):
    """Answers a ping."""

    timestamp: Time


class RoomJoined(Told, tag="room_joined"):
    """The socket is a member from here on."""

    room: RoomName
    members: Members
    member_count: Count


class RoomLeft(Told, tag="room_left"):
    """The socket is a member no longer."""

    room: RoomName


class RoomMembers(Told, tag="members"):
    """Who is in a room."""

    room: RoomName
    members: Members
    member_count: Count


class UserJoined(Told, tag="user_joined"):
    """A user came into a room, with the first of his sockets."""

    room: RoomName
    user_id: Id
    member_count: Count


class UserLeft(Told, tag="user_left"):
    """A user left a room, with the last of his sockets."""

    room: RoomName
    user_id: Id
    member_count: Count


class RoomMessage(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What was said in a room."""

    id: Id
    room: RoomName
    user_id: Id
    content: Content
    created_at: Time


class MessageSaid(Told, tag="message"):
    """Somebody said something in a room, perhaps oneself."""

    message: RoomMessage


class Subscribed(Told, tag="subscribed"):
    """What is committed after the event `position` will be told."""

    channel: ChannelName
    position: Position


class Unsubscribed(Told, tag="unsubscribed"):
    """Nothing more of this channel will be told."""

    channel: ChannelName


class Published(Told, tag="published"):
    """The event is committed."""

    channel: ChannelName


class EventTold(Told, tag="event"):
    """An event of a channel; `position` grows with every event of the tenant."""

    position: Position
    at: Time
    event: ProductEvent | OrderEvent | Announcement


class QueryResult(Told, tag="result"):
    """The answer to a question."""

    name: QuestionName
    rows: Annotated[list[dict[str, Any]], Meta(description="One object a row.")]


class Refused(Told, tag="error"):
    """A message was refused, with the error envelope of the whole API; the socket stays open."""

    error: ErrorBody


ServerFrame = (
    Connected
    | Pong
    | RoomJoined
    | RoomLeft
    | RoomMembers
    | UserJoined
    | UserLeft
    | MessageSaid
    | Subscribed
    | Unsubscribed
    | Published
    | EventTold
    | QueryResult
    | Refused
)
