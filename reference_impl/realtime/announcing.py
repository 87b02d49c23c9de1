"""A database that tells of its events: whoever commits one nudges the readers, and no procedure can forget it."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, TypeVar

from reference_impl.data.cancelled import Cancelled, cancelled
from reference_impl.data.database import DatabaseError
from reference_impl.procedures.records import EVENT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reference_impl.data.database import Body, Database, Row, Statement

T = TypeVar("T")


class Announcing:
    """The verbs of a database; `announce` is awaited after each commit that held an event, and raises nothing.

    Who is cancelled while a commit is on its way is told what happened, and is cancelled at its next verb and at
    whatever else it waits for, until `over`.
    """

    def __init__(self, database: Database, announce: Callable[[], Awaitable[None]]) -> None:
        self._announce = announce
        self.kept = False
        """Whether a write was committed, or may have been."""
        self._due: asyncio.Handle | None = None
        self._use(database)

    async def run(self, sql: str, *parameters: object) -> list[Row]:
        """Execute one write, committed when this returns."""
        rows = await self._noted(self._database.run(sql, *parameters))
        if sql == EVENT:
            await self._announce()
        self._end()
        return rows

    async def transaction(self, body: Body[T], *, locking: bool = False) -> T:
        """Run a body: all of it is committed when this returns, none of it when it raises."""
        told: list[Statement] = []
        result = await self._noted(self._database.transaction(lambda: _Watched(body, told), locking=locking))
        if told:
            await self._announce()
        self._end()
        return result

    def over(self) -> None:
        """Say that nothing more is done for this caller: giving it what was done is not cut short."""
        if self._due is not None:
            self._due.cancel()

    def _end(self) -> None:
        """Have a caller who is to end cancelled where it next waits, if it does."""
        task = asyncio.current_task()
        if task is not None and cancelled():
            self._due = asyncio.get_running_loop().call_soon(_again, task)

    async def _noted(self, write: Awaitable[T]) -> T:
        try:
            result = await write
        except DatabaseError as error:
            self.kept = self.kept or error.unknown
            self._look()
            raise
        self.kept = True
        self._look()
        return result

    def _look(self) -> None:
        if cancelled() and not isinstance(self._database, Cancelled):
            self._use(Cancelled(self._database))

    def _use(self, database: Database) -> None:
        self._database = database
        self.query = database.query
        self.query_one = database.query_one
        self.read = database.read


def _again(task: asyncio.Task[object]) -> None:
    """Raise in a task what it was told before, and count it once, as a deadline does."""
    if task.cancel():
        task.uncancel()


class _Watched(Generator["Statement", "list[Row]", T]):
    """A running body whose events are noted; one that is run again is noted anew."""

    def __init__(self, body: Body[T], told: list[Statement]) -> None:
        told.clear()
        self._running = body()
        self._told = told

    def send(self, rows: list[Row]) -> Statement:
        """Hand it rows and return what it yields next."""
        return self._noted(self._running.send(rows))

    def throw(self, *error: Any) -> Statement:
        """Hand it a refusal and return what it yields next."""
        return self._noted(self._running.throw(*error))

    def close(self) -> None:
        """End it where it stands."""
        self._running.close()

    def __next__(self) -> Statement:
        return self._noted(next(self._running))

    def _noted(self, statement: Statement) -> Statement:
        if statement.sql.startswith(EVENT):
            self._told.append(statement)
        return statement
