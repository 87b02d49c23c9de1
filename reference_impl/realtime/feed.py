"""A tenant's events as they are committed: one reader a process, any number of listeners, no gap and no duplicate."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from reference_impl.data.database import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reference_impl.data.database import Database
    from reference_impl.stores.bus import Bus

PAGE = 500
NUDGE = "events"
_LONGEST_PAUSE_S = 60.0
NEWEST = "SELECT coalesce(max(id), 0) FROM events"
# Ids increase in the order of commits, so nothing at or below the last one read can appear later.
_PAGE = (
    "SELECT id, at, channel, type, data, (SELECT coalesce(max(through), 0) FROM forgotten_events) "
    "FROM events WHERE id > ? ORDER BY id LIMIT ?"
)
_data = msgspec.json.Decoder(dict[str, Any])
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the events table."""

    id: int
    at: str
    channel: str
    kind: str
    data: dict[str, Any]


class Forgotten(Exception):
    """Events after the id that was asked for are no longer kept: what followed it cannot be told whole."""


Listener = Callable[[Record | None], None]
"""Takes one record and returns at once, raising nothing; None is the last: the feed has ended."""


@dataclass(eq=False, slots=True)
class Attachment:
    """A listener to some channels; what comes is held until it goes live, and again while it is paused."""

    channels: frozenset[str]
    listener: Listener
    after: int
    held: list[Record] | None = field(default_factory=list)
    ended: bool = False

    def pause(self) -> None:
        """Hold what comes."""
        self.held = self.held or []

    def offer(self, record: Record) -> None:
        """Hand over a record that is new to the feed."""
        if self.held is not None:
            self.held.append(record)
        elif record.id > self.after:
            self.listener(record)

    def go_live(self, after: int = 0) -> None:
        """Hand over what was held, and is after this id; from now on nothing is held."""
        self.after = max(self.after, after)
        held, self.held = self.held, None
        for record in held or ():
            self.offer(record)

    def end(self) -> None:
        """Say that nothing more comes."""
        self.held, self.ended = None, True
        self.listener(None)


class Feed:
    """Reads while anybody listens. The bus only says that there is something to read; a poll finds what it lost."""

    def __init__(self, tenant: str, database: Database, bus: Bus, poll_s: float) -> None:
        self._channel = (tenant, NUDGE)
        self._database = database
        self._bus = bus
        self._poll_s = poll_s
        self._attached: dict[str, set[Attachment]] = {}
        self._last = 0
        self._closed = False
        self._starting = asyncio.Lock()
        self._reader: asyncio.Task[None] | None = None

    @property
    def position(self) -> int:
        """The id up to which the listeners have everything."""
        return self._last

    async def newest(self) -> int:
        """Return the id of the newest event, or 0."""
        row = await self._database.query_one(NEWEST)
        return int(row[0]) if row else 0

    async def page(self, after: int) -> list[Record]:
        """Return the oldest events after an id, at most PAGE; Forgotten when some are no longer kept."""
        rows = await self._database.query(_PAGE, after, PAGE)
        # One statement sees both at one moment; the newest event is always kept, so there is a row to say it.
        if rows and rows[0][5] > after:
            raise Forgotten
        return [Record(row[0], row[1], row[2], row[3], _read(row[4])) for row in rows]

    async def attach(self, channels: Iterable[str], listener: Listener, after: int) -> Attachment:
        """Hand `listener` every event of the channels after an id, in order; on return it has what there was.

        Forgotten when some of them are no longer kept.
        """
        attachment = await self.hold(channels, listener)
        try:
            await self._catch_up(attachment, after, attachment.after)
        except BaseException:
            self.detach(attachment)
            raise
        attachment.go_live(after)
        return attachment

    async def hold(self, channels: Iterable[str], listener: Listener) -> Attachment:
        """Hold for `listener` every event of the channels after `position`, until it goes live."""
        attachment = Attachment(frozenset(channels), listener, self._last)
        async with self._starting:
            if self._reader is None and not self._closed:
                self._last = await self.newest()
            if self._closed:  # perhaps only now
                attachment.end()
                return attachment
            # All share it: it works for the request of none.
            self._reader = self._reader or asyncio.create_task(self._read_forever(), context=Context())
            # Nothing is awaited from `position` on: what is read later is offered.
            attachment.after = self._last
            for channel in attachment.channels:
                self._attached.setdefault(channel, set()).add(attachment)
        return attachment

    async def _catch_up(self, attachment: Attachment, position: int, joined: int) -> None:
        while position < joined:
            records = await self.page(position)
            if attachment.ended:
                return
            for record in records:
                if record.id <= joined and record.channel in attachment.channels:
                    attachment.listener(record)
            position = records[-1].id if records else joined

    def detach(self, attachment: Attachment) -> None:
        """Hand this listener nothing more; the reader rests when nobody listens."""
        for channel in attachment.channels:
            attached = self._attached.get(channel, set())
            attached.discard(attachment)
            if not attached:
                self._attached.pop(channel, None)
        if not self._attached and self._reader is not None:
            self._reader.cancel()
            self._reader = None

    async def read(self) -> None:
        """Hand over what was committed since the last time."""
        full = True
        while full:
            records = await self.page(self._last)
            for record in records:
                self._last = record.id
                for attachment in tuple(self._attached.get(record.channel, ())):
                    _offer(attachment, record)
            full = len(records) == PAGE

    async def _read_forever(self) -> None:
        pause_s = self._poll_s
        while True:
            try:
                async with self._bus.subscribe(self._channel) as nudges:
                    while True:
                        # A database that is gone is asked again: the listeners only wait longer.
                        with suppress(DatabaseError):
                            await self.read()
                            pause_s = self._poll_s
                        await nudges.wait(self._poll_s)
            except Forgotten:  # it could not read for longer than events are kept
                self._end()
                return
            except Exception:  # noqa: BLE001 - told in the log, and what is read next is whole
                _log.exception("Reading the events of %s failed; it is tried again in %g s.", self._channel[0], pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def close(self) -> None:
        """Tell every listener, and those to come, that this is the end."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        for attachment in set().union(*self._attached.values()):
            attachment.end()
            self.detach(attachment)


def _read(data: str) -> dict[str, Any]:
    """Return an event's data; nothing, and a line in the log, where another hand wrote what is no object."""
    try:
        return _data.decode(data)
    except msgspec.DecodeError:
        _log.exception("The data of an event cannot be read; it is told without.")
        return {}


def _offer(attachment: Attachment, record: Record) -> None:
    """Hand a record over; a listener that fails, which none should, keeps it from nobody else."""
    try:
        attachment.offer(record)
    except Exception:  # noqa: BLE001 - told in the log
        _log.exception("A listener failed at the event %d.", record.id)
