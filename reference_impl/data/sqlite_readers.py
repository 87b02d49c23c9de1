"""Threads that read a SQLite file beside its writer, each with a connection of its own; both waits for them end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from reference_impl.data.database import DatabaseError
from reference_impl.data.lease import BusyError, Lease, lent

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

T = TypeVar("T")
THREADS = 2
# How many of SQLite's own instructions pass between two looks whether the caller has gone: about a millisecond.
_STEPS = 50_000


class Readers:
    """A read waits for a thread no longer than `wait_s`, and holds it no longer than its caller waits."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], wait_s: float) -> None:
        self._connect = connect
        self._wait_s = wait_s
        self._threads = ThreadPoolExecutor(THREADS, "reader")
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []

    async def lend(self, work: Callable[[sqlite3.Connection, Callable[[], bool]], T]) -> T:
        """Run `work` on a connection, and tell it whether its caller has gone; DatabaseError when no thread is free."""
        try:
            return await lent(self._threads, lambda lease: self._run(lease, work), self._wait_s)
        except BusyError as error:
            raise DatabaseError("unavailable", f"No reader was free within {self._wait_s:g} s") from error

    def close(self) -> None:
        """Finish what is queued, then close every connection."""
        self._threads.shutdown()
        for connection in self._open:
            connection.close()

    def _run(self, lease: Lease, work: Callable[[sqlite3.Connection, Callable[[], bool]], T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
            self._open.append(connection)
        connection.set_progress_handler(lambda: lease.gone, _STEPS)
        try:
            return work(connection, lambda: lease.gone)
        finally:
            connection.set_progress_handler(None, _STEPS)
            if connection.in_transaction:  # its end was cut short
                connection.execute("ROLLBACK")
