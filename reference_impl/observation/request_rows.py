"""Stores request log lines as rows of their tenant, in batches beside the requests, which never wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uuid_utils

from reference_impl.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from reference_impl.data.database import Database
    from reference_impl.edge.exchange import Exchange

WAITING = 10_000
"""Rows that may wait; what comes beyond is dropped and counted."""
_EVERY_S = 1.0
# Few texts, so that prepared statements are found again.
_SIZES = (50, 10, 1)
_INTO = "INSERT INTO request_logs (id, at, request_id, user_id, method, route, status, duration_ms) VALUES "
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?)"
_TEXTS = {size: _INTO + ", ".join([_ROW] * size) for size in _SIZES}


@dataclass(frozen=True, slots=True)
class Line:
    """One request as it was when it was over."""

    epoch_s: float
    request_id: str
    user_id: str
    method: str
    route: str
    status: int
    duration_ms: float

    def row(self) -> tuple[object, ...]:
        """Return the columns."""
        at, own_id = rfc3339(self.epoch_s), str(uuid_utils.uuid7())
        return (own_id, at, self.request_id, self.user_id, self.method, self.route, self.status, self.duration_ms)


class RequestRows:
    """The rows that wait, and their writer."""

    def __init__(self, dropped: Callable[[int], None]) -> None:
        self._dropped = dropped
        self._waiting: deque[tuple[Database, Line]] = deque()

    def add(self, exchange: Exchange) -> None:
        """Keep a request's line until the next batch; only what has a tenant has a table."""
        if exchange.database is None:
            return
        if len(self._waiting) >= WAITING:
            self._dropped(1)
            return
        line = Line(
            time.time(),
            exchange.request_id,
            exchange.user_id,
            exchange.method,
            exchange.route,
            exchange.status,
            exchange.duration_ms(),
        )
        self._waiting.append((exchange.database, line))

    async def flush(self) -> None:
        """Store what waits; what a database refuses is dropped and counted."""
        by_database: dict[int, tuple[Database, list[Line]]] = {}
        while self._waiting:
            database, line = self._waiting.popleft()
            by_database.setdefault(id(database), (database, []))[1].append(line)
        for database, lines in by_database.values():
            await self._store(database, lines)

    async def _store(self, database: Database, lines: list[Line]) -> None:
        while lines:
            size = next(size for size in _SIZES if size <= len(lines))
            batch, lines = lines[:size], lines[size:]
            try:
                await database.run(_TEXTS[size], *[value for line in batch for value in line.row()])
            except Exception:  # noqa: BLE001 - whatever became of them, the requests are answered; the metric tells
                self._dropped(size)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Store batches while the block runs, and the last one at its end."""
        ending = asyncio.Event()
        writer = asyncio.create_task(self._until(ending))
        try:
            yield
        finally:
            ending.set()
            await writer

    async def _until(self, ending: asyncio.Event) -> None:
        while not ending.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), _EVERY_S)
            await self.flush()
