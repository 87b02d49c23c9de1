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
from reference_impl.data.database import DatabaseError
from reference_impl.edge.request_log import write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from reference_impl.data.database import Database
    from reference_impl.edge.exchange import Exchange

WAITING = 10_000
"""Rows that may wait; what comes beyond is dropped and counted."""
_EVERY_S = 1.0
# How long the end waits for the last of them: what is not stored by then is dropped and counted.
_LAST_S = 3.0
_SILENT = {"unavailable", "timeout"}
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
        self._held = 0  # taken to be stored, and neither stored nor dropped yet
        self._lost = 0
        self._given_up = False

    def add(self, exchange: Exchange) -> None:
        """Keep a request's line until the next batch; only what has a tenant has a table."""
        if exchange.database is None:
            return
        if len(self._waiting) >= WAITING or self._given_up:
            self._lose(1)
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
        """Store what waits; what a database refuses is dropped and counted, and all of one's that does not answer."""
        by_database: dict[int, tuple[Database, list[Line]]] = {}
        while self._waiting:
            database, line = self._waiting.popleft()
            by_database.setdefault(id(database), (database, []))[1].append(line)
            self._held += 1
        for database, lines in by_database.values():
            await self._store(database, lines)

    async def _store(self, database: Database, lines: list[Line]) -> None:
        while lines and not self._ended():
            size = next(size for size in _SIZES if size <= len(lines))
            batch, lines = lines[:size], lines[size:]
            failed = silent = False
            try:
                await database.run(_TEXTS[size], *[value for line in batch for value in line.row()])
            except Exception as error:  # noqa: BLE001 - whatever became of them, the requests are answered; the metric tells
                failed, silent = True, isinstance(error, DatabaseError) and error.category in _SILENT
            if self._ended():  # they are counted already
                return
            if silent:  # each further batch would wait as long
                size, lines = size + len(lines), []
            self._held -= size
            if failed:
                self._lose(size)

    def _lose(self, rows: int) -> None:
        self._lost += rows
        self._dropped(rows)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Store batches while the block runs, and what is left at its end within seconds; what is lost is told."""
        ending = asyncio.Event()
        writer = asyncio.create_task(self._until(ending))
        try:
            yield
        finally:
            lost_before = self._lost
            ending.set()
            stored, _ = await asyncio.wait({writer}, timeout=_LAST_S)
            if stored:
                await writer
            else:  # it ends with the connection that it waits for, which the end of the database cuts
                self._give_up()
            if lost := self._lost - lost_before:
                at = rfc3339(time.time())
                write(
                    {"at": at, "level": "warning", "message": "rows of the request log were not stored", "rows": lost}
                )

    def _ended(self) -> bool:
        return self._given_up

    def _give_up(self) -> None:
        self._given_up = True
        held, self._held = self._held + len(self._waiting), 0
        self._waiting.clear()
        self._lose(held)

    async def _until(self, ending: asyncio.Event) -> None:
        while not ending.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), _EVERY_S)
            await self.flush()
        await self.flush()  # what came while the last one was at work
