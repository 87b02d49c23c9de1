"""One tenant's file: a writer thread and a reader thread, both waits for them and each statement bounded."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import UNSET

from reference_impl.data.lease import BusyError, Lease, lent
from reference_impl.dosql.refusal import Refused, refusal
from reference_impl.dosql.types import Changes, Operation, Result, bound, shown
from reference_impl.errors import ApiError, unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reference_impl.dosql.types import StatementInput
    from reference_impl.settings.dosql import DoSql

T = TypeVar("T")
# So few that a step which is slow by itself, as a search in a long text is, is not followed by many more.
_STEPS = 200
_PATTERN_BYTES = 1000
_COLUMNS = 200
_NUMBER_BYTES = 8
_BUSY_S = 2.0
# What a service may not do, whatever its statement says: leave its file, or undo the transaction it stands in.
_DENIED = {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA, sqlite3.SQLITE_TRANSACTION}
_DENIED |= {sqlite3.SQLITE_SAVEPOINT}
# A temporary table hides the one of its name from every later caller, and what they write to it is in no file.
_DENIED |= {sqlite3.SQLITE_CREATE_TEMP_TABLE, sqlite3.SQLITE_CREATE_TEMP_INDEX}
_DENIED |= {sqlite3.SQLITE_CREATE_TEMP_TRIGGER, sqlite3.SQLITE_CREATE_TEMP_VIEW}
_LOADERS = {"load_extension", "readfile", "writefile", "fts3_tokenizer"}


@dataclass(slots=True)
class _Lane:
    """One connection and its one thread."""

    connection: sqlite3.Connection
    thread: ThreadPoolExecutor
    caller: Lease = field(default_factory=Lease)
    deadline_s: float = 0.0
    left_bytes: int = 0

    def stopped(self) -> int:
        """Interrupt SQLite once the time is up or nobody waits; asked every few hundred of its steps."""
        return int(self.caller.gone or time.monotonic() > self.deadline_s)


def _authorize(action: int, first: str | None, second: str | None, *_: object) -> int:
    if action in _DENIED or (action == sqlite3.SQLITE_FUNCTION and (second or first or "").lower() in _LOADERS):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


class TenantDatabase:
    """The four verbs on one file."""

    def __init__(self, path: Path, settings: DoSql, wait_s: float) -> None:
        self._settings = settings
        self._wait_s = wait_s
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
        connection.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, _COLUMNS)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, _PATTERN_BYTES)
        lane = _Lane(connection, ThreadPoolExecutor(1, "reader" if read_only else "writer"))
        connection.set_progress_handler(lane.stopped, _STEPS)
        connection.set_authorizer(_authorize)
        return lane

    async def query(self, statement: StatementInput) -> list[dict[str, Any]]:
        """Return every row of a read."""
        return await self._on(self._reader, lambda lane: self._rows(lane, statement.sql, bound(statement.params))[0])

    async def query_one(self, statement: StatementInput) -> dict[str, Any] | None:
        """Return the first row of a read, however many there are."""
        values = bound(statement.params)
        rows = await self._on(self._reader, lambda lane: self._rows(lane, statement.sql, values, first=True)[0])
        return rows[0] if rows else None

    async def run(self, statement: StatementInput) -> Changes:
        """Execute one write, committed when this returns."""
        return await self._on(self._writer, lambda lane: self._alone(lane, statement))

    async def transaction(self, operations: list[Operation]) -> list[Result]:
        """Execute all steps or none; a guard that does not hold is CONFLICT and names its step."""
        return await self._on(self._writer, lambda lane: self._together(lane, operations))

    def close(self) -> None:
        """Finish what is queued, then close."""
        for lane in (self._writer, self._reader):
            lane.thread.shutdown()
            lane.connection.close()

    async def _on(self, lane: _Lane, work: Callable[[_Lane], T]) -> T:
        """Run `work` in a lane: UNAVAILABLE when it is not begun in time; what nobody waits for is undone."""
        try:
            return await lent(lane.thread, lambda caller: self._bounded(lane, caller, work), self._wait_s)
        except BusyError as error:
            told = f"Others were at work in this database for {self._wait_s:g} s; nothing of this was begun."
            raise unavailable(told) from error

    def _bounded(self, lane: _Lane, caller: Lease, work: Callable[[_Lane], T]) -> T:
        lane.caller, lane.deadline_s = caller, time.monotonic() + self._settings.timeout_s
        lane.left_bytes = self._settings.answer_bytes
        try:
            return work(lane)
        except sqlite3.Error as error:
            raise refusal(error) from error
        finally:
            if lane.connection.in_transaction:
                lane.caller, lane.deadline_s = Lease(), float("inf")
                self._control(lane, "ROLLBACK")

    def _rows(
        self, lane: _Lane, sql: str, values: tuple[Any, ...], *, first: bool = False
    ) -> tuple[list[dict[str, Any]], int]:
        """Return what a statement answers, or the first row of it, and the row id of its last insert."""
        found: list[dict[str, Any]] = []
        with contextlib.closing(lane.connection.execute(sql, values)) as cursor:
            names = [column[0] for column in cursor.description or ()]
            for row in cursor:
                if len(found) >= self._settings.rows:
                    raise Refused(f"It answers more than {self._settings.rows} rows: ask with LIMIT.")
                lane.left_bytes -= sum(map(_bytes, row))
                if lane.left_bytes < 0:
                    raise Refused(f"It answers more than {self._settings.answer_bytes} bytes: ask for less at once.")
                found.append(dict(zip(names, map(shown, row), strict=True)))
                if first:
                    break
            return found, cursor.lastrowid or 0

    def _changed(self, lane: _Lane, sql: str, values: tuple[Any, ...]) -> Changes:
        before = lane.connection.total_changes
        rows, last_insert_rowid = self._rows(lane, sql, values)
        return Changes(lane.connection.total_changes - before, last_insert_rowid, rows)

    def _alone(self, lane: _Lane, statement: StatementInput) -> Changes:
        """Execute one write in a transaction, as an answer may be refused when its statement is done."""
        self._control(lane, "BEGIN IMMEDIATE")
        changed = self._changed(lane, statement.sql, bound(statement.params))
        self._control(lane, "COMMIT")
        return changed

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
        """Begin, commit or undo, which statements of clients may not."""
        lane.connection.set_authorizer(None)
        try:
            lane.connection.execute(sql)
        finally:
            lane.connection.set_authorizer(_authorize)

    def _one(self, lane: _Lane, operation: Operation) -> Changes:
        reads = operation.kind != "run"
        changed = self._changed(lane, operation.sql, bound(operation.params))
        if reads and changed.changes:
            raise Refused("A query may not write: use run.")
        return changed


def _bytes(value: Any) -> int:
    return len(value) if isinstance(value, (str, bytes)) else _NUMBER_BYTES


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
