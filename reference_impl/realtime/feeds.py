"""The feeds of a process, one a tenant, and who tells them that there is something to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_impl.realtime.announcing import Announcing
from reference_impl.realtime.feed import NUDGE, Feed
from reference_impl.realtime.seats import Seats

if TYPE_CHECKING:
    from reference_impl.data.database import Database
    from reference_impl.settings.realtime import Realtime
    from reference_impl.stores.bus import Bus


class Feeds:
    """Made when first asked for."""

    def __init__(self, bus: Bus, settings: Realtime) -> None:
        self._bus = bus
        self._poll_s = settings.poll_s
        self.streams = Seats(settings.stream_quota)
        self._feeds: dict[str, Feed] = {}
        self._closed = False

    def of(self, tenant: str, database: Database) -> Feed:
        """Return the feed of a tenant."""
        feed = self._feeds.get(tenant)
        if feed is None:
            feed = self._feeds[tenant] = Feed(tenant, database, self._bus, self._poll_s)
            if self._closed:
                feed.close()
        return feed

    def announcing(self, tenant: str, database: Database) -> Announcing:
        """Return the tenant's database as one that nudges all workers' feeds after a commit with an event in it."""
        return Announcing(database, lambda: self._bus.publish((tenant, NUDGE)))

    def close(self) -> None:
        """End every stream and socket; they say so to their clients."""
        self._closed = True
        for feed in self._feeds.values():
            feed.close()
