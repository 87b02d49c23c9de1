"""The sockets of one tenant with one worker: they are counted, kept alive in the rooms' rows, and ended together."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING, Protocol

import uuid_utils

from reference_impl.data.database import DatabaseError
from reference_impl.realtime.rooms import Rooms
from reference_impl.realtime.seats import Seats

if TYPE_CHECKING:
    from reference_impl.contract.procedure import Services
    from reference_impl.data.database import Database

# A worker is dead after so many renewals that did not come.
_BEATS = 3
RESTART = (1012, "Service restart")
_log = logging.getLogger(__name__)


class Line(Protocol):
    """What is open to one client."""

    @property
    def id(self) -> str:
        """The connection's id."""
        ...

    def end(self, code: int, reason: str) -> None:
        """Close it soon."""
        ...


class Hub:
    """One tenant's sockets."""

    def __init__(self, tenant: str, database: Database, services: Services, worker_id: str) -> None:
        self.tenant = tenant
        self.services = services
        self.database = services.feeds.announcing(tenant, database)
        self.feed = services.feeds.of(tenant, database)
        self._beat_s = services.settings.realtime.heartbeat_s
        self.rooms = Rooms(self.database, worker_id, _BEATS * self._beat_s)
        self._lines: set[Line] = set()
        self._left: set[str] = set()
        """Sockets that are gone and may be in rooms still: the database did not answer."""
        self._entering = asyncio.Lock()
        self._beating: asyncio.Task[None] | None = None

    async def enter(self, line: Line) -> None:
        """Count a socket; from now on its memberships are kept alive."""
        async with self._entering:
            if self._beating is None or self._beating.done():
                await self.rooms.register()
                await self.rooms.bury()
                # All sockets share it: it works for the request of none.
                self._beating = asyncio.create_task(self._beat(), context=Context())
            self._lines.add(line)

    async def leave(self, line: Line) -> None:
        """Forget a socket and take it out of its rooms."""
        self._lines.discard(line)
        self._left.add(line.id)
        await self._clear()

    async def _clear(self) -> None:
        for connection_id in tuple(self._left):
            with suppress(DatabaseError):
                await self.rooms.leave_all(connection_id)
                self._left.discard(connection_id)

    async def _beat(self) -> None:
        while self._lines or self._left:
            await asyncio.sleep(self._beat_s)
            try:
                await self.beat()
            except DatabaseError:  # the next beat asks again
                continue
            except Exception:  # noqa: BLE001 - told in the log; without a beat every member here would be taken for dead
                _log.exception("Renewing the sockets of %s failed; it is tried again.", self.tenant)

    async def beat(self) -> None:
        """Renew this worker and clear what others and its own sockets left behind."""
        if not await self.rooms.renew():
            # The others took this worker for dead and its sockets out of the rooms: their clients begin anew.
            await self.rooms.register()
            for line in tuple(self._lines):
                line.end(*RESTART)
        await self.rooms.bury()
        await self._clear()

    def close(self) -> None:
        """Stop renewing."""
        if self._beating is not None:
            self._beating.cancel()


class Hubs:
    """The hubs of a process, one a tenant, made when first asked for."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._worker_id = str(uuid_utils.uuid7())
        self._hubs: dict[str, Hub] = {}
        self.seats = Seats(services.settings.realtime.socket_quota)

    def of(self, tenant: str, database: Database) -> Hub:
        """Return the hub of a tenant."""
        hub = self._hubs.get(tenant)
        if hub is None:
            hub = self._hubs[tenant] = Hub(tenant, database, self._services, self._worker_id)
        return hub

    def close(self) -> None:
        """Stop renewing; the sockets have ended."""
        for hub in self._hubs.values():
            hub.close()
