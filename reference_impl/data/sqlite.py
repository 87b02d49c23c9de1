"""SQLite behind the verbs: one writer thread that commits what is waiting in groups, readers beside it (WAL)."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, TypeVar

from reference_impl.data.database import Body, Row, Statement, Transaction
from reference_impl.data.sqlite_file import FAILURES, connect, observed, translated
from reference_impl.data.sqlite_readers import Readers
from reference_impl.data.sqlite_writer import Writer

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")


class SqliteDatabase:
    """One file. Point reads run where they are asked for (microseconds, WAL readers never wait), others beside it."""

    def __init__(self, path: Path, synchronous: str, wait_s: float, pragmas: tuple[str, ...] = ()) -> None:
        self.path = path
        self._synchronous = synchronous
        self._pragmas = pragmas
        self._near = connect(path, synchronous)
        self._readers = Readers(self._connected, wait_s)
        self._writer = Writer(self._connect_writer, wait_s)

    async def query(self, sql: str, *parameters: object) -> list[Row]:
        """Return all rows of a read, from a reader thread."""

        def body() -> Transaction[list[Row]]:
            return (yield Statement(sql, parameters))

        return await self._beside(body)

    async def query_one(self, sql: str, *parameters: object) -> Row | None:
        """Return the first row of a read, or None."""
        try:
            row: Row | None = self._near.execute(sql, parameters).fetchone()
        except FAILURES as error:
            raise translated(error) from error
        return row

    async def run(self, sql: str, *parameters: object) -> list[Row]:
        """Execute one write, committed when this returns."""

        def body() -> Transaction[list[Row]]:
            return (yield Statement(sql, parameters))

        return await self.transaction(body)

    async def transaction(self, body: Body[T], *, locking: bool = False) -> T:  # noqa: ARG002 - the one writer holds every lock
        """Run a body on the writer thread: all or nothing; one whose caller was cancelled is undone."""
        return await self._writer.run(body)

    async def read(self, body: Body[T], *, small: bool = False) -> T:
        """Run a body that only reads, on one snapshot: from a reader thread, or here when it is small."""
        return observed(self._near, body) if small else await self._beside(body)

    async def close(self) -> None:
        """Finish what is queued, then close every connection."""
        self._writer.close()
        self._readers.close()
        self._near.close()

    async def _beside(self, body: Body[T]) -> T:
        return await self._readers.lend(lambda connection, left: observed(connection, body, left))

    def _connected(self) -> sqlite3.Connection:
        try:
            return connect(self.path, self._synchronous)
        except sqlite3.Error as error:
            raise translated(error) from error

    def _connect_writer(self) -> sqlite3.Connection:
        connection = connect(self.path, self._synchronous)
        for pragma in self._pragmas:
            connection.execute(f"PRAGMA {pragma}")
        return connection
