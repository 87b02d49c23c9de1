"""An events table without a database, and feeds that read it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reference_impl.data.database import DatabaseError
from reference_impl.realtime.feed import Feed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reference_impl.stores.memory.bus import MemoryBus

NEVER_S = 3600.0


@dataclass
class Table:
    """An events table that answers after as many turns of the loop as were drawn."""

    turns: Iterator[int]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    gone: bool = False
    through: int = 0
    """Up to which id they were let go."""

    def commit(self, channel: str) -> int:
        """Add an event and return its id."""
        self.rows.append((len(self.rows) + 1, "2026-01-31T12:00:00.000Z", channel, "created", "{}"))
        return len(self.rows)

    async def _wait(self) -> None:
        for _ in range(next(self.turns, 0)):
            await asyncio.sleep(0)
        if self.gone:
            raise DatabaseError("unavailable", "gone")

    async def query_one(self, _sql: str, *_parameters: object) -> tuple[Any, ...]:
        """The newest id."""
        await self._wait()
        newest = len(self.rows)
        await self._wait()
        return (newest,)

    async def query(self, _sql: str, after: int, limit: int) -> list[tuple[Any, ...]]:
        """A page after an id."""
        await self._wait()
        found = [(*row, self.through) for row in self.rows if row[0] > max(after, self.through)][:limit]
        await self._wait()
        return found


def feed_of(table: Table, bus: MemoryBus) -> Feed:
    """A feed that never polls."""
    return Feed("alpha", table, bus, NEVER_S)  # type: ignore[arg-type]  # only the two reads are asked of it


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(1500):
        await asyncio.sleep(0)
