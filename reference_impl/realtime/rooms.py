"""Rooms and who is in them, in rows: one truth for all workers, told to members by events of the room's channel.

Joining and leaving first take the room's row, so that two at once see each other. A worker renews its own row; what a
dead one left behind is cleared by the others.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import uuid_utils

from reference_impl.clock import rfc3339
from reference_impl.data.database import Statement, Transaction
from reference_impl.procedures.records import Steps, emit
from reference_impl.realtime.feed import NEWEST

if TYPE_CHECKING:
    from reference_impl.data.database import Database

SHOWN = 100
_TAKE = "INSERT INTO rooms (name) VALUES (?) ON CONFLICT (name) DO UPDATE SET name = excluded.name"
_TAKE_OLD = "UPDATE rooms SET name = name WHERE name = ? RETURNING name"
_VANISH = "DELETE FROM rooms WHERE name = ?"
_IN = "SELECT 1 FROM room_members WHERE room = ? AND user_id = ? LIMIT 1"
_JOIN = "INSERT INTO room_members (room, connection_id, user_id, worker_id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_LEAVE = "DELETE FROM room_members WHERE room = ? AND connection_id = ? RETURNING user_id"
_COUNT = "SELECT count(DISTINCT user_id) FROM room_members WHERE room = ?"
_MEMBERS = "SELECT DISTINCT user_id FROM room_members WHERE room = ? ORDER BY user_id LIMIT ?"
_OF_CONNECTION = "SELECT room FROM room_members WHERE connection_id = ? ORDER BY room"
_OF_WORKER = "SELECT room, connection_id FROM room_members WHERE worker_id = ? ORDER BY room, connection_id"
_REGISTER = (
    "INSERT INTO socket_workers (id, expires_at) VALUES (?, ?) "
    "ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at"
)
_RENEW = "UPDATE socket_workers SET expires_at = ? WHERE id = ? RETURNING id"
# Also one that was cleared and went on for a moment: what it wrote before it noticed is nobody's.
_DEAD = (
    "SELECT id FROM socket_workers WHERE expires_at < ? "
    "UNION SELECT worker_id FROM room_members WHERE worker_id NOT IN (SELECT id FROM socket_workers) ORDER BY id"
)
_CLAIM = "INSERT INTO socket_workers (id, expires_at) VALUES (?, '') ON CONFLICT DO NOTHING"
_BURY = "DELETE FROM socket_workers WHERE id = ? AND expires_at < ? RETURNING id"
_MESSAGE = "INSERT INTO room_messages (id, room, user_id, text, created_at) VALUES (?, ?, ?, ?, ?)"


def channel_of(room: str) -> str:
    """Return the internal channel of a room; no public channel has such a name."""
    return f"room:{room}"


class Presence(NamedTuple):
    """Who is in a room: the first of them and how many; `position` is the newest event's id at that moment."""

    members: list[str]
    total: int
    position: int


class Rooms:
    """The rooms of one tenant as one worker writes them; `life_s` after its last renewal a worker is dead."""

    def __init__(self, database: Database, worker_id: str, life_s: float) -> None:
        self._database = database
        self._worker_id = worker_id
        self._life_s = life_s

    async def register(self) -> None:
        """Say that this worker lives; before its first socket joins."""
        await self._database.run(_REGISTER, self._worker_id, rfc3339(time.time() + self._life_s))

    async def renew(self) -> bool:
        """Say it again; False when the others took it for dead: its sockets are in no room."""
        return bool(await self._database.run(_RENEW, rfc3339(time.time() + self._life_s), self._worker_id))

    async def bury(self) -> None:
        """Clear what dead workers left behind."""
        now = rfc3339(time.time())
        for (worker_id,) in await self._database.query(_DEAD, now):
            await self._database.transaction(partial(_bury, worker_id, now), locking=True)

    async def join(self, room: str, connection_id: str, user_id: str) -> Presence:
        """Make a socket a member; others are told when it is its user's first."""
        body = partial(_join, room, connection_id, user_id, self._worker_id)
        return await self._database.transaction(body, locking=True)

    async def leave(self, room: str, connection_id: str) -> None:
        """Make a socket a member no longer; others are told when it was its user's last."""
        await self._database.transaction(partial(_leave, room, connection_id), locking=True)

    async def leave_all(self, connection_id: str) -> None:
        """Leave every room."""
        await self._database.transaction(partial(_leave_all, connection_id), locking=True)

    async def look(self, room: str) -> Presence:
        """Return who is in a room."""
        return await self._database.read(partial(_look, room))

    async def say(self, room: str, user_id: str, content: str) -> None:
        """Store a message; members have it when it is committed."""
        await self._database.transaction(partial(_say, room, user_id, content), locking=True)


def _look(room: str) -> Transaction[Presence]:
    members = yield Statement(_MEMBERS, (room, SHOWN))
    count = yield Statement(_COUNT, (room,))
    newest = yield Statement(NEWEST)
    return Presence([row[0] for row in members], count[0][0], newest[0][0])


def _join(room: str, connection_id: str, user_id: str, worker_id: str) -> Transaction[Presence]:
    yield Statement(_TAKE, (room,))
    others = yield Statement(_IN, (room, user_id))
    yield Statement(_JOIN, (room, connection_id, user_id, worker_id))
    if not others:
        count = yield Statement(_COUNT, (room,))
        yield from emit(channel_of(room), "user_joined", userId=user_id, memberCount=count[0][0])
    return (yield from _look(room))


def _leave(room: str, connection_id: str) -> Steps:
    if not (yield Statement(_TAKE_OLD, (room,))):
        return
    gone = yield Statement(_LEAVE, (room, connection_id))
    if not gone:
        return
    user_id = gone[0][0]
    count = (yield Statement(_COUNT, (room,)))[0][0]
    if not (yield Statement(_IN, (room, user_id))):
        yield from emit(channel_of(room), "user_left", userId=user_id, memberCount=count)
    if not count:
        yield Statement(_VANISH, (room,))


def _leave_all(connection_id: str) -> Steps:
    rooms = yield Statement(_OF_CONNECTION, (connection_id,))
    # All rooms before the first event, so that two who leave several do not wait for each other.
    for (room,) in rooms:
        yield Statement(_TAKE_OLD, (room,))
    for (room,) in rooms:
        yield from _leave(room, connection_id)


def _bury(worker_id: str, now: str) -> Steps:
    # From its row on, this worker can neither renew nor register itself until its sockets are out of the rooms.
    yield Statement(_CLAIM, (worker_id,))
    if not (yield Statement(_BURY, (worker_id, now))):
        return
    members = yield Statement(_OF_WORKER, (worker_id,))
    for room in sorted({room for room, _ in members}):
        yield Statement(_TAKE_OLD, (room,))
    for room, connection_id in members:
        yield from _leave(room, connection_id)


def _say(room: str, user_id: str, content: str) -> Steps:
    message_id, now = str(uuid_utils.uuid7()), rfc3339(time.time())
    yield Statement(_MESSAGE, (message_id, room, user_id, content, now))
    yield from emit(channel_of(room), "message", id=message_id, userId=user_id, content=content, createdAt=now)
