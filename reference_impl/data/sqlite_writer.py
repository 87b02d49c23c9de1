"""The one thread that writes a SQLite file: what is waiting is committed in groups, and the wait for it ends."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from reference_impl.data.database import Body, DatabaseError
from reference_impl.data.sqlite_file import GoneError, step, translated

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_GROUP = 64
# So many wait only when the writer stands still: each of them is refused at once then.
LONGEST = 4096


@dataclass(slots=True)
class _Job:
    """A body that waits for the writer, and its caller."""

    body: Body[Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    claim: threading.Lock = field(default_factory=threading.Lock)
    """Had once: by the writer that begins the body, or by who refuses it as it was not begun in time."""
    begun: bool = False
    committing: bool = False
    """Set before the writer looks, for the last time, whether the caller has gone."""
    ended: asyncio.Future[Any] | None = None
    """Where a caller waits who was cancelled while it was committed."""
    outcome: tuple[Any, BaseException | None] | None = None
    """What happened, for a caller who was cancelled and did not wait yet."""

    def claimed(self) -> bool:
        """Whether who asks has it from now on."""
        return self.claim.acquire(blocking=False)


_Results = list[tuple[_Job, Any, BaseException | None]]


class BrokenError(Exception):
    """A connection that is not to be used again, as it is not known what it left; `told` is what its group is told."""

    def __init__(self, told: DatabaseError) -> None:
        super().__init__(str(told))
        self.told = told


class Writer:
    """A write that is not begun within `wait_s` is refused, and is not run after that."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], wait_s: float) -> None:
        self._connect = connect
        self._wait_s = wait_s
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._write_forever, name="writer", daemon=True)
        self._thread.start()

    async def run(self, body: Body[T]) -> T:
        """Run a body: all or nothing; one whose caller was cancelled before its commit is undone."""
        if self._jobs.qsize() >= LONGEST:
            raise DatabaseError("unavailable", f"{LONGEST} writes wait already")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        job = _Job(body, loop, future)
        late = loop.call_later(self._wait_s, self._refuse, job)
        self._jobs.put(job)
        try:
            return await future
        except asyncio.CancelledError:
            if future.cancelled() and not job.committing:
                raise
            result: T = await _outcome(job)
            return result
        finally:
            late.cancel()

    def close(self) -> None:
        """Finish what is queued, then close the connection."""
        self._jobs.put(None)
        self._thread.join()

    def _refuse(self, job: _Job) -> None:
        if not job.future.done() and job.claimed():
            job.future.set_exception(DatabaseError("unavailable", f"The writer was not free within {self._wait_s:g} s"))

    def _write_forever(self) -> None:
        last = False
        while not last and (job := self._jobs.get()) is not None:
            group = [job]
            while len(group) < _GROUP and not self._jobs.empty():
                further = self._jobs.get()
                if further is None:
                    last = True
                    break
                group.append(further)
            _settle(self._written(group))
        self._drop()

    def _written(self, group: list[_Job]) -> _Results:
        """Run a group, on a new connection where the last one broke."""
        try:
            self._connection = self._connection or self._connect()
            return write_group(self._connection, group)
        except BrokenError as broken:
            self._drop()  # what it had not committed is undone with it
            return [(job, None, broken.told) for job in group]
        except (sqlite3.Error, OSError) as error:  # no connection was made
            return [(job, None, translated(error)) for job in group]

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None


def write_group(connection: sqlite3.Connection, group: list[_Job]) -> _Results:
    """Run each job in a savepoint of one transaction; a failed commit fails them all; BrokenError as `_undone`."""
    ending = False
    try:
        connection.execute("BEGIN IMMEDIATE")
        results = [(job, *_attempt(connection, job)) for job in group]
        for job in group:
            job.committing = True  # from here on whoever is cancelled waits for the outcome
        if any(error is None and job.future.cancelled() for job, _, error in results):
            # Its caller may have been told that nothing of it is kept: the group is undone and runs again without it.
            connection.execute("ROLLBACK")
            left: _Results = [(job, None, GoneError()) for job in group if job.future.cancelled()]
            gone = {id(job) for job, _, _ in left}
            return left + write_group(connection, [job for job in group if id(job) not in gone])
        ending = True
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        told = _undone(connection, error, ending=ending)
        return [(job, None, told) for job in group]
    return results


def _undone(connection: sqlite3.Connection, error: sqlite3.Error, *, ending: bool) -> DatabaseError:
    """Return what a failed group is told, once nothing of it is kept; BrokenError where that cannot be said."""
    told = translated(error)
    if not connection.in_transaction:
        if ending:  # SQLite gave the transaction up while it was written: a crash now may find it whole
            raise BrokenError(DatabaseError(told.category, str(told), unknown=True)) from error
        return told
    try:
        connection.execute("ROLLBACK")
    except sqlite3.Error as failed:
        text = f"{told}; and then: {failed}"
        raise BrokenError(DatabaseError("unavailable", text, unknown=ending)) from error
    return told


def _attempt(connection: sqlite3.Connection, job: _Job) -> tuple[Any, BaseException | None]:
    job.begun = job.begun or job.claimed()
    if not job.begun:  # its caller was refused
        return None, GoneError()
    connection.execute("SAVEPOINT job")
    try:
        result = step(connection, job.body, job.future.cancelled)
    except Exception as error:  # noqa: BLE001 - handed to the caller who waits for this job
        connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")
        return None, error
    connection.execute("RELEASE job")
    return result, None


def _settle(results: _Results) -> None:
    """Wake the callers, once a loop."""
    for job, value, error in results:
        try:
            job.loop.call_soon_threadsafe(_resolve, job, value, error)
        except RuntimeError:  # the loop closed while its job was running: nobody waits
            continue


async def _outcome(job: _Job) -> Any:
    """Return what a job whose commit was begun came to; its caller stays cancelled when nothing of it is kept.

    Where that is not known the error says so.
    """
    if not job.future.cancelled():  # the cancel came when it was resolved already
        job.outcome = (None, error) if (error := job.future.exception()) else (job.future.result(), None)
    while job.outcome is None:
        job.ended = job.loop.create_future()
        with contextlib.suppress(asyncio.CancelledError):
            await job.ended
    value, error = job.outcome
    if isinstance(error, DatabaseError) and error.unknown:
        raise error
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
