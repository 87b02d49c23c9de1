"""What the messages of one socket do: each is answered, and a refused one leaves the socket open."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import SIGNED_IN
from reference_impl.contract.reading import refused
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
    from reference_impl.realtime.socket import Socket
    from reference_impl.realtime.standing import Standing

SHUTDOWN = (1001, "Server shutdown")
SESSION_OVER = (1008, "Session over")
# Any message; what costs more is counted again where all workers count.
_FRAMES = Rule("sockets.frames", 300, 10.0)
_decoder = msgspec.json.Decoder(frames.ClientFrame)
_mark = msgspec.json.Decoder(dict[str, Any])


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
        newest = await self._hub.feed.newest()
        self._sessions = await self._hub.feed.attach({SESSIONS}, self._session, newest)
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

    async def hear(self, text: str) -> None:
        """Do what a message says; ApiError or DatabaseError when it is refused."""
        asked = read(text)
        decision = await self._own.take((self._socket.id,), _FRAMES)
        if not decision.allowed:
            raise refusal(
                asked, ApiError("RATE_LIMITED", f"At most {_FRAMES.quota} messages in {_FRAMES.window_s:g} s.")
            )
        try:
            await self._do(asked)
        except ApiError as error:
            raise refusal(asked, error) from error

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
        joined = self._rooms.get(room)
        if joined is None and len(self._rooms) >= quota:
            raise ApiError("FORBIDDEN", f"A socket may be in {quota} rooms: leave one.")
        look = self._hub.rooms.look(room) if joined else self._hub.rooms.join(room, self._socket.id, reader.user_id)
        found = await look
        told = frames.RoomJoined(reply_to=asked.id, room=room, members=found.members, member_count=found.total)
        self._socket.tell(told)
        if not joined:
            self._rooms[room] = await self._hub.feed.attach({channel_of(room)}, self._room(room), found.position)

    async def _leave(self, asked: frames.LeaveRoom) -> None:
        self._member(asked.room)
        attachment = self._rooms.pop(asked.room)
        self._hub.feed.detach(attachment)
        await self._hub.rooms.leave(asked.room, self._socket.id)
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
        self._unsubscribe(asked.channel)
        wanted = Filter(None if asked.category_id is UNSET else asked.category_id)
        position = await self._hub.feed.newest()
        self._socket.tell(frames.Subscribed(reply_to=asked.id, channel=asked.channel, position=position))
        listener = self._channel(wanted)
        self._channels[asked.channel] = await self._hub.feed.attach({asked.channel}, listener, position)

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


class Answered(ApiError):
    """A refusal that knows which message it answers."""

    reply_to: str | UnsetType = UNSET


def refusal(asked: frames.ClientFrame, error: ApiError) -> Answered:
    """Return a refusal as the answer to a message."""
    answered = Answered(error.code, error.message, details=error.details)
    answered.reply_to = asked.id
    return answered


def read(text: str) -> frames.ClientFrame:
    """Return a message; VALIDATION_ERROR when it is malformed, of an unknown type or does not fit."""
    try:
        asked: frames.ClientFrame = _decoder.decode(text)
    except msgspec.ValidationError as error:
        answered = Answered("VALIDATION_ERROR", (problem := refused(error)).message, details=problem.details)
        mark = _mark.decode(text).get("id") if text.lstrip().startswith("{") else None
        answered.reply_to = mark if isinstance(mark, str) and len(mark) <= 64 else UNSET  # noqa: PLR2004 - Mark's bound
        raise answered from error
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError) as error:
        raise invalid("message", "it is not well-formed JSON") from error
    return asked
