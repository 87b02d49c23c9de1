"""Connections of one schema, made when they are needed, within a budget that all schemas of a process share.

asyncpg's pool bounds its own connections only: with a pool a tenant nothing would bound their sum.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # the package carries no types

if TYPE_CHECKING:
    from collections.abc import Callable

_IDLE_S = 300.0
# Less than a place is waited for: who waits has that of a connection of which nothing is heard any more.
_CLOSING_S = 2.0


class Budget:
    """So many connections at once, whoever has them; an idle one is closed where another schema needs its place."""

    def __init__(self, connections: int) -> None:
        self._left = connections
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._idle: dict[Any, Callable[[], None]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.beside = asyncio.Lock()
        """Held by whoever has the one connection that is not counted."""

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for a place that is not on its way."""
        return len(self._waiting) > len(self._closing)

    async def take(self) -> None:
        """Wait for a place, behind those who wait already; the connection that is idle the longest makes room."""
        if self._left:
            self._left -= 1
            return
        if self._idle:
            oldest = next(iter(self._idle))
            self._idle.pop(oldest)()
            self.end(oldest)
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._waiting.remove(place)
            else:
                self.give()
            raise

    def give(self) -> None:
        """Give a place back, to whoever waits the longest."""
        for place in self._waiting:
            if not place.done():
                self._waiting.remove(place)
                place.set_result(None)
                return
        self._left += 1

    def idle(self, connection: Any, forget: Callable[[], None]) -> None:
        """Have a connection closed where its place is needed; `forget` is called then."""
        self._idle[connection] = forget

    def used(self, connection: Any) -> None:
        """Keep a connection."""
        del self._idle[connection]

    def end(self, connection: Any) -> None:
        """Close a connection, with what runs there, and give its place back once the server has let go of it."""
        self._closing.add(asyncio.get_running_loop().create_task(self._ended(connection)))

    async def ended(self) -> None:
        """Wait for what is being closed."""
        # Once: a process may close others all the time; those that were to be closed are among these.
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _ended(self, connection: Any) -> None:
        try:
            with contextlib.suppress(OSError, asyncpg.InterfaceError, asyncpg.PostgresError):
                await connection.close(timeout=_CLOSING_S)
        finally:
            # Before its place is given, which is not on its way then any more.
            self._closing.discard(asyncio.current_task())
            self.give()


class Pool:
    """At most `connections` of one schema, each wait for one of them bounded."""

    def __init__(self, options: dict[str, Any], connections: int, wait_s: float, budget: Budget) -> None:
        self._options = options
        self._connections = connections
        self._wait_s = wait_s
        self._budget = budget
        self._own = asyncio.Semaphore(connections)
        self._idle: dict[Any, asyncio.TimerHandle] = {}
        self._lent: set[Any] = set()

    async def acquire(self) -> Any:
        """Return a connection that is nobody else's; TimeoutError when none is free in time."""
        async with asyncio.timeout(self._wait_s):
            await self._own.acquire()
            try:
                connection = self._newest() or await self._made()
            except BaseException:
                self._own.release()
                raise
        self._lent.add(connection)
        return connection

    def release(self, connection: Any, *, spent: bool = False) -> None:
        """Take a connection back; one that ended, or is spent, makes room for another once the server let go of it."""
        self._lent.discard(connection)
        self._own.release()
        if connection.is_closed():
            self._budget.give()
        elif spent or self._budget.wanted:
            self._budget.end(connection)
        else:
            self._idle[connection] = asyncio.get_running_loop().call_later(_IDLE_S, self._end, connection)
            self._budget.idle(connection, lambda: self._idle.pop(connection).cancel())

    async def close(self) -> None:
        """Close every connection once it is free; those that do not come back in time are cut."""
        taken = 0
        try:
            async with asyncio.timeout(self._wait_s):
                while taken < self._connections:
                    await self._own.acquire()
                    taken += 1
        except TimeoutError:
            for connection in self._lent:
                connection.terminate()
        finally:
            for connection in [*self._idle]:
                self._end(connection)
            for _ in range(taken):
                self._own.release()
        await self._budget.ended()

    def _newest(self) -> Any:
        """Return the connection that was used last, which is the one that the server has warm."""
        while self._idle:
            connection, timer = self._idle.popitem()
            timer.cancel()
            self._budget.used(connection)
            if not connection.is_closed():
                return connection
            self._budget.give()  # the server ended it
        return None

    async def _made(self) -> Any:
        await self._budget.take()
        try:
            return await asyncpg.connect(**self._options)
        except BaseException:
            self._budget.give()
            raise

    def _end(self, connection: Any) -> None:
        self._idle.pop(connection).cancel()
        self._budget.used(connection)
        self._budget.end(connection)
