"""A tenant's events as they are committed: one reader a process, any number of listeners, no gap and no duplicate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
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
NEWEST = "SELECT coalesce(max(id), 0) FROM events"
# Ids increase in the order of commits, so nothing at or below the last one read can appear later.
_PAGE = "SELECT id, at, channel, type, data FROM events WHERE id > ? ORDER BY id LIMIT ?"
_data = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the events table."""

    id: int
    at: str
    channel: str
    kind: str
    data: dict[str, Any]


Listener = Callable[[Record | None], None]
"""Takes one record and returns at once, raising nothing; None is the last: the feed has ended."""


@dataclass(eq=False, slots=True)
class Attachment:
    """A listener to some channels; while it catches up, what comes is held."""

    channels: frozenset[str]
    listener: Listener
    after: int
    held: list[Record] | None = field(default_factory=list)

    def offer(self, record: Record) -> None:
        """Hand over a record that is new to the feed."""
        if self.held is not None:
            self.held.append(record)
        elif record.id > self.after:
            self.listener(record)

    def go_live(self) -> None:
        """Hand over what was held; from now on nothing is."""
        held, self.held = self.held, None
        for record in held or ():
            self.offer(record)


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

    async def newest(self) -> int:
        """Return the id of the newest event, or 0."""
        row = await self._database.query_one(NEWEST)
        return int(row[0]) if row else 0

    async def page(self, after: int) -> list[Record]:
        """Return the oldest events after an id, at most PAGE."""
        rows = await self._database.query(_PAGE, after, PAGE)
        return [Record(event_id, at, channel, kind, _data.decode(data)) for event_id, at, channel, kind, data in rows]

    async def attach(self, channels: Iterable[str], listener: Listener, after: int) -> Attachment:
        """Hand `listener` every event of the channels after an id, in order; on return it has what there was."""
        attachment = Attachment(frozenset(channels), listener, after)
        if self._closed:
            listener(None)
            return attachment
        async with self._starting:
            if self._reader is None:
                self._last = await self.newest()
                self._reader = asyncio.create_task(self._read_forever())
            # Nothing is awaited from here to the next `await`: what is read later than `joined` is offered.
            joined = self._last
            for channel in attachment.channels:
                self._attached.setdefault(channel, set()).add(attachment)
        try:
            await self._catch_up(attachment, joined)
        except BaseException:
            self.detach(attachment)
            raise
        attachment.go_live()
        return attachment

    async def _catch_up(self, attachment: Attachment, joined: int) -> None:
        position = attachment.after
        while position < joined:
            records = await self.page(position)
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
                    attachment.offer(record)
            full = len(records) == PAGE

    async def _read_forever(self) -> None:
        async with self._bus.subscribe(self._channel) as nudges:
            while True:
                # A database that is gone is asked again: the listeners only wait longer.
                with suppress(DatabaseError):
                    await self.read()
                await nudges.wait(self._poll_s)

    def close(self) -> None:
        """Tell every listener, and those to come, that this is the end."""
        self._closed = True
        for attachment in set().union(*self._attached.values()):
            attachment.listener(None)
            self.detach(attachment)
