"""SQLite behind the verbs: one writer thread that commits what is waiting in groups, readers beside it (WAL)."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from reference_impl.data.database import Body, DatabaseError, Row, Statement, Transaction, at_once, driven
from reference_impl.data.sqlite_readers import Readers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")
_GROUP = 64
_FAILURES = (sqlite3.Error, OverflowError)


class _GoneError(Exception):
    """The caller has gone; no body is told, as it has nothing to judge."""


@dataclass(slots=True)
class _Job:
    """A body that waits for the writer, and its caller."""

    body: Body[Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    committing: bool = False
    """Set before the writer looks, for the last time, whether the caller has gone."""
    ended: asyncio.Future[Any] | None = None
    """Where a caller waits who was cancelled while it was committed."""
    outcome: tuple[Any, BaseException | None] | None = None
    """What happened, for a caller who was cancelled and did not wait yet."""


def connect(path: Path, synchronous: str, *, create: bool = False) -> sqlite3.Connection:
    """Open a file for use by one thread at a time; it must exist unless `create`."""
    mode = "rwc" if create else "rw"
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=5.0
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA temp_store=MEMORY")  # what a savepoint may have to undo needs no file of its own
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class SqliteDatabase:
    """One file. Point reads run where they are asked for (microseconds, WAL readers never wait), others beside it."""

    def __init__(self, path: Path, synchronous: str, wait_s: float, pragmas: tuple[str, ...] = ()) -> None:
        self.path = path
        self._synchronous = synchronous
        self._pragmas = pragmas
        self._near = connect(path, synchronous)
        self._readers = Readers(self._connected, wait_s)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_forever, name="writer", daemon=True)
        self._writer.start()

    async def query(self, sql: str, *parameters: object) -> list[Row]:
        """Return all rows of a read, from a reader thread."""

        def body() -> Transaction[list[Row]]:
            return (yield Statement(sql, parameters))

        return await self._beside(body)

    async def query_one(self, sql: str, *parameters: object) -> Row | None:
        """Return the first row of a read, or None."""
        try:
            row: Row | None = self._near.execute(sql, parameters).fetchone()
        except _FAILURES as error:
            raise translated(error) from error
        return row

    async def run(self, sql: str, *parameters: object) -> list[Row]:
        """Execute one write, committed when this returns."""

        def body() -> Transaction[list[Row]]:
            return (yield Statement(sql, parameters))

        return await self.transaction(body)

    async def transaction(self, body: Body[T], *, locking: bool = False) -> T:  # noqa: ARG002 - the one writer holds every lock
        """Run a body on the writer thread: all or nothing; one whose caller was cancelled is undone."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        job = _Job(body, loop, future)
        self._jobs.put(job)
        try:
            return await future
        except asyncio.CancelledError:
            if future.cancelled() and not job.committing:
                raise
            result: T = await _outcome(job)
            return result

    async def read(self, body: Body[T], *, small: bool = False) -> T:
        """Run a body that only reads, on one snapshot: from a reader thread, or here when it is small."""
        return observed(self._near, body) if small else await self._beside(body)

    async def close(self) -> None:
        """Finish what is queued, then close every connection."""
        self._jobs.put(None)
        self._writer.join()
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

    def _write_forever(self) -> None:
        connection: sqlite3.Connection | None = None
        while (job := self._jobs.get()) is not None:
            group = [job]
            last = False
            while len(group) < _GROUP and not self._jobs.empty():
                further = self._jobs.get()
                if further is None:
                    last = True
                    break
                group.append(further)
            try:
                connection = connection or self._connect_writer()
            except sqlite3.Error as error:
                _settle([(one, None, translated(error)) for one in group])
            else:
                _settle(write_group(connection, group))
            if last:
                break
        if connection is not None:
            connection.close()


def write_group(connection: sqlite3.Connection, group: list[_Job]) -> list[tuple[_Job, Any, BaseException | None]]:
    """Run each job in a savepoint of one transaction; a failed commit fails them all."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        results = [(job, *_attempt(connection, job)) for job in group]
        for job in group:
            job.committing = True  # from here on whoever is cancelled waits for the outcome
        if any(error is None and job.future.cancelled() for job, _, error in results):
            # Its caller may have been told that nothing of it is kept: the group is undone and runs again without it.
            connection.execute("ROLLBACK")
            left = [(job, None, _GoneError()) for job in group if job.future.cancelled()]
            gone = {id(job) for job, _, _ in left}
            return left + write_group(connection, [job for job in group if id(job) not in gone])
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return [(job, None, translated(error)) for job in group]
    return results


def alone(connection: sqlite3.Connection, body: Body[T]) -> T:
    """Run a body in a transaction of its own: all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = step(connection, body)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return result


def observed(connection: sqlite3.Connection, body: Body[T], cancelled: Callable[[], bool] = bool) -> T:
    """Run a body that only reads on one snapshot."""
    try:
        connection.execute("BEGIN")
        try:
            return step(connection, body, cancelled)
        finally:
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise translated(error) from error


def _attempt(connection: sqlite3.Connection, job: _Job) -> tuple[Any, BaseException | None]:
    connection.execute("SAVEPOINT job")
    try:
        result = step(connection, job.body, job.future.cancelled)
    except Exception as error:  # noqa: BLE001 - handed to the caller who waits for this job
        connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")
        return None, error
    connection.execute("RELEASE job")
    return result, None


def step(connection: sqlite3.Connection, body: Body[T], cancelled: Callable[[], bool] = bool) -> T:
    """Drive a body to its end on one connection."""

    async def execute(statement: Statement) -> list[Row]:
        if cancelled():
            raise _GoneError
        try:
            return connection.execute(statement.sql, statement.parameters).fetchall()
        except _FAILURES as error:
            raise translated(error) from error

    return at_once(driven(body, execute))


def _settle(results: list[tuple[_Job, Any, BaseException | None]]) -> None:
    """Wake the callers, once a loop."""
    for job, value, error in results:
        try:
            job.loop.call_soon_threadsafe(_resolve, job, value, error)
        except RuntimeError:  # the loop closed while its job was running: nobody waits
            continue


async def _outcome(job: _Job) -> Any:
    """Return what a job whose commit was begun came to; its caller stays cancelled when nothing of it is kept."""
    if not job.future.cancelled():  # the cancel came when it was resolved already
        job.outcome = (None, error) if (error := job.future.exception()) else (job.future.result(), None)
    while job.outcome is None:
        job.ended = job.loop.create_future()
        with contextlib.suppress(asyncio.CancelledError):
            await job.ended
    value, error = job.outcome
    if error is not None:
        raise asyncio.CancelledError from error
    return value


def _resolve(job: _Job, value: object, error: BaseException | None) -> None:
    future = job.future
    if future.done():
        job.outcome = (value, error)
        if job.ended is not None and not job.ended.done():
            job.ended.set_result(None)
    elif error is not None:
        future.set_exception(error)
    else:
        future.set_result(value)


def translated(error: Exception) -> DatabaseError:
    """Return the category of a SQLite error."""
    if isinstance(error, OverflowError):  # an integer of more than 64 bits
        return DatabaseError("check", str(error))
    name = getattr(error, "sqlite_errorname", "")
    if name in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}:
        return DatabaseError("unique", str(error))
    if name == "SQLITE_CONSTRAINT_FOREIGNKEY":
        return DatabaseError("foreign", str(error))
    if name.startswith(("SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_TOOBIG")):
        return DatabaseError("check", str(error))
    return DatabaseError("unavailable", str(error))
