"""The events of some channels from a position on, for one reader at its own pace."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference_impl.realtime.feed import Attachment, Feed, Record


class Ended(Exception):
    """Nothing more will come: the server ends, or the reader was too slow and goes on from the last id it saw."""


class Follower:
    """Reads the table until it has caught up, then takes what the feed hands over; `waiting` records at most wait."""

    def __init__(self, feed: Feed, channels: frozenset[str], after: int, waiting: int) -> None:
        self._feed = feed
        self._channels = channels
        self._after = after
        self._waiting = waiting
        self._records: deque[Record] = deque()
        self._arrived = asyncio.Event()
        self._attachment: Attachment | None = None
        self._ended = False

    async def next(self, timeout_s: float) -> Record | None:
        """Return the next record, or None when none came for so long.

        Ended after the last; Forgotten when events of before are no longer kept.
        """
        while not self._records and not self._ended and self._attachment is None:
            await self._catch_up()
        if not self._records and not self._ended:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._arrived.wait()
            except TimeoutError:
                return None
        if not self._records:
            raise Ended
        record = self._records.popleft()
        self._after = max(self._after, record.id)
        if not self._records and not self._ended:
            self._arrived.clear()
        return record

    async def _catch_up(self) -> None:
        """Take one page; attach when there is none."""
        page = await self._feed.page(self._after)
        if page:
            self._after = page[-1].id
            self._records.extend(record for record in page if record.channel in self._channels)
        else:
            self._attachment = await self._feed.attach(self._channels, self._take, self._after)

    @property
    def position(self) -> int:
        """The id up to which everything was handed out: a reader may go on from there."""
        if self._records:
            return self._records[0].id - 1
        return max(self._after, self._feed.position) if self._attachment and not self._ended else self._after

    def _take(self, record: Record | None) -> None:
        if record is None or len(self._records) >= self._waiting:
            self.close()
        elif not self._ended:
            self._records.append(record)
        self._arrived.set()

    def close(self) -> None:
        """Take nothing more; what waits can still be read."""
        self._ended = True
        self._arrived.set()
        if self._attachment is not None:
            self._feed.detach(self._attachment)
