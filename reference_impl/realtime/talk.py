"""What the messages of one socket do: each is answered, and a refused one leaves the socket open."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import SIGNED_IN
from reference_impl.contract.reading import refuse_twice, refused
from reference_impl.errors import ApiError, invalid
from reference_impl.procedures.records import emit
from reference_impl.realtime import frames, queries
from reference_impl.realtime.channels import CHANNELS, Filter, admit, shown
from reference_impl.realtime.rooms import channel_of
from reference_impl.realtime.standing import SESSIONS
from reference_impl.stores.limits import Rule
from reference_impl.stores.memory.limits import MemoryLimits

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.identity.tokens import Identity
    from reference_impl.realtime.feed import Attachment, Record
    from reference_impl.realtime.hub import Hub
    from reference_impl.realtime.rooms import Presence
    from reference_impl.realtime.socket import Socket
    from reference_impl.realtime.standing import Standing

SHUTDOWN = (1001, "Server shutdown")
SESSION_OVER = (1008, "Session over")
# Any message; what costs more is counted again where all workers count.
_FRAMES = Rule("sockets.frames", 300, 10.0)


class Talk:
    """One client's side of the protocol; `standing` is None for a client that did not sign in."""

    def __init__(self, hub: Hub, socket: Socket, standing: Standing | None) -> None:
        self._hub = hub
        self._socket = socket
        self._standing = standing
        self._limits = hub.services.settings.limits
        self._own = MemoryLimits()
        self._rooms: dict[str, Attachment] = {}
        self._channels: dict[str, Attachment] = {}
        self._sessions: Attachment | None = None
        self.reply_to: str | UnsetType = UNSET
        """The client's own id of the message that is being answered."""

    @property
    def reader(self) -> Identity | None:
        """Who is told things here."""
        return self._standing.identity if self._standing else None

    async def open(self) -> None:
        """Greet; who is signed in is in the room `global` from the beginning."""
        reader = self.reader
        user_id = reader.user_id if reader else UNSET
        now = rfc3339(time.time())
        self._socket.tell(frames.Connected(connection_id=self._socket.id, user_id=user_id, timestamp=now))
        self._sessions = await self._hub.feed.hold({SESSIONS}, self._session)
        self._sessions.go_live()
        await self._hub.enter(self._socket)
        if reader is not None:
            await self._join(frames.JoinRoom(room=frames.GLOBAL))

    async def close(self) -> None:
        """Hear nothing more and leave every room."""
        for attachment in (self._sessions, *self._rooms.values(), *self._channels.values()):
            if attachment is not None:
                self._hub.feed.detach(attachment)
        await self._hub.leave(self._socket)

    async def stand(self) -> None:
        """End the socket of whoever is signed in no longer."""
        if self._standing is not None:
            try:
                await self._standing.again()
            except ApiError:
                self._socket.end(*SESSION_OVER)
                raise

    async def hear(self, text: str | None) -> None:
        """Do what a message says, None for one that is no text; ApiError or DatabaseError when it is refused."""
        self.reply_to = UNSET
        decision = await self._own.take((self._socket.id,), _FRAMES)
        if text is None:
            raise ApiError("UNSUPPORTED_MEDIA_TYPE", "Messages are text.")
        said = json_of(text)
        self.reply_to = mark_of(said)
        if not decision.allowed:
            raise ApiError("RATE_LIMITED", f"At most {_FRAMES.quota} messages in {_FRAMES.window_s:g} s.")
        refuse_twice(text)
        await self._do(read(said))

    async def _do(self, asked: frames.ClientFrame) -> None:
        if isinstance(asked, frames.Ping):
            self._socket.tell(frames.Pong(reply_to=asked.id, timestamp=rfc3339(time.time())))
            return
        await self.stand()
        match asked:
            case frames.JoinRoom():
                await self._join(asked)
            case frames.LeaveRoom():
                await self._leave(asked)
            case frames.ListMembers():
                await self._members(asked)
            case frames.SendMessage():
                await self._say(asked)
            case frames.Subscribe():
                await self._subscribe(asked)
            case frames.Unsubscribe():
                self._unsubscribe(asked.channel)
                self._socket.tell(frames.Unsubscribed(reply_to=asked.id, channel=asked.channel))
            case frames.Publish():
                await self._publish(asked)
            case frames.RunQuery():
                await self._query(asked)

    def _signed_in(self, *, writes: bool = False) -> Identity:
        SIGNED_IN.admit(self.reader, writes=writes)
        assert self.reader is not None
        return self.reader

    def _member(self, room: str) -> None:
        self._signed_in()
        if room not in self._rooms:
            raise ApiError("FORBIDDEN", "Join this room first.")

    async def _join(self, asked: frames.JoinRoom) -> None:
        reader, room = self._signed_in(), asked.room
        quota = self._hub.services.settings.realtime.room_quota
        if room in self._rooms:
            self._joined(asked, await self._hub.rooms.look(room))
            return
        if len(self._rooms) >= quota:
            raise ApiError("FORBIDDEN", f"A socket may be in {quota} rooms: leave one.")
        attachment = await self._hub.feed.hold({channel_of(room)}, self._room(room))
        try:
            found = await self._hub.rooms.join(room, self._socket.id, reader.user_id)
        except BaseException:
            self._hub.feed.detach(attachment)
            raise
        self._rooms[room] = attachment
        self._joined(asked, found)
        attachment.go_live(found.position)

    def _joined(self, asked: frames.JoinRoom, found: Presence) -> None:
        room, members, total = asked.room, found.members, found.total
        self._socket.tell(frames.RoomJoined(reply_to=asked.id, room=room, members=members, member_count=total))

    async def _leave(self, asked: frames.LeaveRoom) -> None:
        self._member(asked.room)
        attachment = self._rooms[asked.room]
        # Who has left hears nothing more of the room; who could not leave is told what came meanwhile.
        attachment.pause()
        try:
            await self._hub.rooms.leave(asked.room, self._socket.id)
        except BaseException:
            attachment.go_live()
            raise
        self._hub.feed.detach(self._rooms.pop(asked.room))
        self._socket.tell(frames.RoomLeft(reply_to=asked.id, room=asked.room))

    async def _members(self, asked: frames.ListMembers) -> None:
        self._member(asked.room)
        found = await self._hub.rooms.look(asked.room)
        told = frames.RoomMembers(reply_to=asked.id, room=asked.room, members=found.members, member_count=found.total)
        self._socket.tell(told)

    async def _say(self, asked: frames.SendMessage) -> None:
        reader = self._signed_in(writes=True)
        self._member(asked.room)
        await self._count("rooms.message", self._limits.room_messages, self._limits.room_window_s)
        await self._hub.rooms.say(asked.room, reader.user_id, asked.content)

    async def _subscribe(self, asked: frames.Subscribe) -> None:
        admit(CHANNELS[asked.channel].subscribe, self.reader)
        wanted, feed = Filter(None if asked.category_id is UNSET else asked.category_id), self._hub.feed
        newest = await feed.newest()
        attachment = await feed.hold({asked.channel}, self._channel(wanted))
        # What takes the place of another goes on where that one stands: nothing is told twice or by neither.
        position = feed.position if asked.channel in self._channels else max(newest, attachment.after)
        self._unsubscribe(asked.channel)
        self._channels[asked.channel] = attachment
        self._socket.tell(frames.Subscribed(reply_to=asked.id, channel=asked.channel, position=position))
        attachment.go_live(position)

    def _unsubscribe(self, channel: str) -> None:
        attachment = self._channels.pop(channel, None)
        if attachment is not None:
            self._hub.feed.detach(attachment)

    async def _publish(self, asked: frames.Publish) -> None:
        reader = self.reader
        admit(CHANNELS[asked.channel].publish, reader)
        user_id = self._signed_in(writes=True).user_id
        await self._count("channels.publish", self._limits.room_messages, self._limits.room_window_s)
        await self._hub.database.transaction(lambda: emit(asked.channel, "published", userId=user_id, data=asked.data))
        self._socket.tell(frames.Published(reply_to=asked.id, channel=asked.channel))

    async def _query(self, asked: frames.RunQuery) -> None:
        self._signed_in()
        parameters = queries.read(asked.name, asked.parameters)
        if isinstance(parameters, queries.RoomHistoryParameters):
            self._member(parameters.room)
        await self._count("sockets.query", self._limits.quotas.list, self._limits.procedure_window_s)
        rows = await queries.answer(self._hub.database, asked.name, parameters)
        self._socket.tell(frames.QueryResult(reply_to=asked.id, name=asked.name, rows=rows))

    async def _count(self, name: str, quota: int, window_s: float) -> None:
        assert self.reader is not None
        key = (self._hub.tenant, "user", self.reader.user_id)
        if not (await self._hub.services.limits.take(key, Rule(name, quota, window_s))).allowed:
            raise ApiError("RATE_LIMITED", f"At most {quota} in {window_s:g} s.")

    def _session(self, record: Record | None) -> None:
        if record is None:
            self._socket.end(*SHUTDOWN)
        elif self._standing is not None and self._standing.over(record):
            self._socket.end(*SESSION_OVER)
        elif self._standing is not None and self._standing.concerned(record):
            self._socket.doubt()

    def _channel(self, wanted: Filter) -> Callable[[Record | None], None]:
        def listen(record: Record | None) -> None:
            event = shown(record, self.reader, wanted) if record else None
            if record is not None and event is not None:
                self._socket.tell(frames.EventTold(position=record.id, at=record.at, event=event))

        return listen

    def _room(self, room: str) -> Callable[[Record | None], None]:
        def listen(record: Record | None) -> None:
            if record is not None:
                self._socket.tell(of_room(room, record))

        return listen


def of_room(room: str, record: Record) -> frames.ServerFrame:
    """Return the message that a room's record is told as."""
    data = record.data
    match record.kind:
        case "user_joined":
            return frames.UserJoined(room=room, user_id=data["userId"], member_count=data["memberCount"])
        case "user_left":
            return frames.UserLeft(room=room, user_id=data["userId"], member_count=data["memberCount"])
    message = frames.RoomMessage(data["id"], room, data["userId"], data["content"], data["createdAt"])
    return frames.MessageSaid(message=message)


def json_of(text: str) -> Any:
    """Return the JSON value of a message; VALIDATION_ERROR when it is malformed."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError) as error:
        raise invalid("message", "it is not well-formed JSON") from error


def mark_of(said: Any) -> str | UnsetType:
    """Return the id by which a message's answer is known to its client, where it has one, whatever else it says."""
    try:
        mark: str = msgspec.convert(said["id"], frames.Mark)
    except (msgspec.ValidationError, TypeError, KeyError):
        return UNSET
    return mark


def read(said: Any) -> frames.ClientFrame:
    """Return a message; VALIDATION_ERROR when it is of an unknown type or does not fit."""
    try:
        asked: frames.ClientFrame = msgspec.convert(said, frames.ClientFrame)
    except msgspec.ValidationError as error:
        raise refused(error) from error
    return asked
