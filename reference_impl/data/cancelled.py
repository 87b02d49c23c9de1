"""A database whose caller was cancelled while a commit was waited for: the cancel comes due at the next verb."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from reference_impl.data.database import Body, Database, Row

T = TypeVar("T")


def cancelled() -> bool:
    """Whether the running task was told to end and goes on: a commit on its way is not cut short."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Cancelled:
    """The verbs; each raises CancelledError as long as its task is to end, so that a deadline bounds what is left."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def query(self, sql: str, *parameters: object) -> list[Row]:
        """Return all rows of a read."""
        return await self._due().query(sql, *parameters)

    async def query_one(self, sql: str, *parameters: object) -> Row | None:
        """Return the first row of a read, or None."""
        return await self._due().query_one(sql, *parameters)

    async def run(self, sql: str, *parameters: object) -> list[Row]:
        """Execute one write, committed when this returns."""
        return await self._due().run(sql, *parameters)

    async def transaction(self, body: Body[T], *, locking: bool = False) -> T:
        """Run a body: all of it is committed when this returns, none of it when it raises."""
        return await self._due().transaction(body, locking=locking)

    async def read(self, body: Body[T], *, small: bool = False) -> T:
        """Run a body that only reads, on one snapshot."""
        return await self._due().read(body, small=small)

    def _due(self) -> Database:
        if cancelled():
            raise asyncio.CancelledError
        return self._database
