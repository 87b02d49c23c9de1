"""One tenant's file: a writer thread and a reader thread, each statement bounded in time, rows and size."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import UNSET

from reference_impl.dosql.refusal import Refused, refusal
from reference_impl.dosql.types import Changes, Operation, Result, bound, shown
from reference_impl.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reference_impl.dosql.types import StatementInput
    from reference_impl.settings.dosql import DoSql

T = TypeVar("T")
_STEPS = 10_000
_BUSY_S = 2.0
# What a service may not do, whatever its statement says: leave its file, or undo the transaction it stands in.
_DENIED = {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA, sqlite3.SQLITE_TRANSACTION}
_DENIED |= {sqlite3.SQLITE_SAVEPOINT}
_LOADERS = {"load_extension", "readfile", "writefile", "fts3_tokenizer"}


@dataclass(slots=True)
class _Lane:
    """One connection and its one thread."""

    connection: sqlite3.Connection
    thread: ThreadPoolExecutor
    deadline_s: float = 0.0

    def stopped(self) -> int:
        """Interrupt SQLite once the time is up; asked every few thousand of its steps."""
        return int(time.monotonic() > self.deadline_s)


def _authorize(action: int, first: str | None, second: str | None, *_: object) -> int:
    if action in _DENIED or (action == sqlite3.SQLITE_FUNCTION and (second or first or "").lower() in _LOADERS):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


class TenantDatabase:
    """The four verbs on one file."""

    def __init__(self, path: Path, settings: DoSql) -> None:
        self._settings = settings
        self._writer = self._lane(path, read_only=False)
        self._reader = self._lane(path, read_only=True)

    def _lane(self, path: Path, *, read_only: bool) -> _Lane:
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=_BUSY_S,
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA trusted_schema=OFF")
        if read_only:
            connection.execute("PRAGMA query_only=ON")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, self._settings.cell_bytes)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        lane = _Lane(connection, ThreadPoolExecutor(1, "reader" if read_only else "writer"))
        connection.set_progress_handler(lane.stopped, _STEPS)
        connection.set_authorizer(_authorize)
        return lane

    async def query(self, statement: StatementInput) -> list[dict[str, Any]]:
        """Return every row of a read."""
        return await self._on(self._reader, lambda lane: self._rows(lane, statement.sql, bound(statement.params))[0])

    async def run(self, statement: StatementInput) -> Changes:
        """Execute one write, committed when this returns."""
        return await self._on(self._writer, lambda lane: self._changed(lane, statement.sql, bound(statement.params)))

    async def transaction(self, operations: list[Operation]) -> list[Result]:
        """Execute all steps or none; a guard that does not hold is CONFLICT and names its step."""
        return await self._on(self._writer, lambda lane: self._together(lane, operations))

    def close(self) -> None:
        """Finish what is queued, then close."""
        for lane in (self._writer, self._reader):
            lane.thread.shutdown()
            lane.connection.close()

    async def _on(self, lane: _Lane, work: Callable[[_Lane], T]) -> T:
        def bounded() -> T:
            lane.deadline_s = time.monotonic() + self._settings.timeout_s
            try:
                return work(lane)
            except sqlite3.Error as error:
                raise refusal(error) from error
            finally:
                if lane.connection.in_transaction:
                    lane.deadline_s = float("inf")
                    lane.connection.set_authorizer(None)
                    lane.connection.execute("ROLLBACK")
                    lane.connection.set_authorizer(_authorize)

        return await asyncio.get_running_loop().run_in_executor(lane.thread, bounded)

    def _rows(self, lane: _Lane, sql: str, values: tuple[Any, ...]) -> tuple[list[dict[str, Any]], sqlite3.Cursor]:
        cursor = lane.connection.execute(sql, values)
        found = cursor.fetchmany(self._settings.rows + 1)
        if len(found) > self._settings.rows:
            raise Refused(f"It answers more than {self._settings.rows} rows: ask with LIMIT.")
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, map(shown, row), strict=True)) for row in found], cursor

    def _changed(self, lane: _Lane, sql: str, values: tuple[Any, ...]) -> Changes:
        before = lane.connection.total_changes
        rows, cursor = self._rows(lane, sql, values)
        return Changes(lane.connection.total_changes - before, cursor.lastrowid or 0, rows)

    def _together(self, lane: _Lane, operations: list[Operation]) -> list[Result]:
        self._control(lane, "BEGIN IMMEDIATE")
        results = []
        for position, operation in enumerate(operations):
            try:
                results.append(self._one(lane, operation))
            except sqlite3.Error as error:
                raise refusal(error, position) from error
            _guard(position, operation, results[-1])
        self._control(lane, "COMMIT")
        return [_answered(operation, result) for operation, result in zip(operations, results, strict=True)]

    def _control(self, lane: _Lane, sql: str) -> None:
        """Begin or commit, which statements of clients may not."""
        lane.connection.set_authorizer(None)
        lane.connection.execute(sql)
        lane.connection.set_authorizer(_authorize)

    def _one(self, lane: _Lane, operation: Operation) -> Changes:
        reads = operation.kind != "run"
        changed = self._changed(lane, operation.sql, bound(operation.params))
        if reads and changed.changes:
            raise Refused("A query may not write: use run.")
        return changed


def _guard(position: int, operation: Operation, done: Changes) -> None:
    expect = operation.expect
    if expect is UNSET:
        return
    for what, wanted, found in (("rows", expect.rows, len(done.rows)), ("changes", expect.changes, done.changes)):
        if wanted is not UNSET and wanted != found:
            raise ApiError(
                "CONFLICT", f"operations[{position}] was to give {wanted} {what} and gave {found}; nothing is kept."
            )


def _answered(operation: Operation, done: Changes) -> Result:
    if operation.kind == "query":
        return Result(rows=done.rows)
    if operation.kind == "queryOne":
        return Result(row=done.rows[0] if done.rows else None)
    return Result(rows=done.rows, changes=done.changes, last_insert_rowid=done.last_insert_rowid)
