"""A database that tells of its events: whoever commits one nudges the readers, and no procedure can forget it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from reference_impl.data.database import DatabaseError
from reference_impl.procedures.records import EVENT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reference_impl.data.database import Body, Database, Row, Statement, Transaction

T = TypeVar("T")


class Announcing:
    """The verbs of a database; `announce` is awaited after each commit that held an event, and raises nothing."""

    def __init__(self, database: Database, announce: Callable[[], Awaitable[None]]) -> None:
        self._database = database
        self._announce = announce
        self.kept = False
        """Whether a write was committed, or may have been."""
        self.query = database.query
        self.query_one = database.query_one
        self.read = database.read

    async def run(self, sql: str, *parameters: object) -> list[Row]:
        """Execute one write, committed when this returns."""
        rows = await self._noted(self._database.run(sql, *parameters))
        if sql == EVENT:
            await self._announce()
        return rows

    async def transaction(self, body: Body[T], *, locking: bool = False) -> T:
        """Run a body: all of it is committed when this returns, none of it when it raises."""
        told: list[Statement] = []
        result = await self._noted(self._database.transaction(lambda: watched(body, told), locking=locking))
        if told:
            await self._announce()
        return result

    async def _noted(self, write: Awaitable[T]) -> T:
        try:
            result = await write
        except DatabaseError as error:
            self.kept = self.kept or error.unknown
            raise
        self.kept = True
        return result


def watched(body: Body[T], told: list[Statement]) -> Transaction[T]:
    """Run a body and note its events; a body that is run again is noted anew."""
    told.clear()
    running = body()
    try:
        statement = next(running)
        while True:
            if statement.sql.startswith(EVENT):
                told.append(statement)
            try:
                rows = yield statement
            except Exception as error:  # noqa: BLE001 - the body's to judge
                statement = running.throw(error)
            else:
                statement = running.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        running.close()
