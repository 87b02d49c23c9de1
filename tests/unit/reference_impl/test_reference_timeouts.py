"""Work whose caller was answered leaves nothing: not what waited for its turn, nor what was done and not committed."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from reference_impl.data.database import Row, Statement, Transaction
from reference_impl.data.sqlite import SqliteDatabase
from reference_impl.data.sqlite_file import connect

if TYPE_CHECKING:
    from pathlib import Path

MAKE = "CREATE TABLE rows (name TEXT)"
ADD = "INSERT INTO rows (name) VALUES (?)"


def adding(name: str) -> Transaction[None]:
    """Add one row."""
    yield Statement(ADD, (name,))


def test_a_group_is_committed_without_those_who_left(tmp_path: Path) -> None:
    """One leaves while it waits, one when its row is written already; their neighbours' rows are kept, theirs not."""
    connect(tmp_path / "a.sqlite", "NORMAL", create=True).close()
    begun, left = threading.Event(), threading.Event()

    def holding() -> Transaction[None]:
        yield Statement(ADD, ("before",))
        begun.set()
        left.wait(10)

    async def work(database: SqliteDatabase) -> list[Row]:
        loop = asyncio.get_running_loop()
        await database.run(MAKE)
        first = asyncio.create_task(database.transaction(holding))
        await loop.run_in_executor(None, begun.wait, 10)
        waiting = [asyncio.create_task(database.transaction(lambda name=name: adding(name))) for name in "abc"]
        await asyncio.sleep(0)
        for task in (first, waiting[1]):
            task.cancel()
        ended = asyncio.gather(first, *waiting, return_exceptions=True)
        await asyncio.sleep(0)
        left.set()
        results = await ended
        assert [isinstance(result, asyncio.CancelledError) for result in results] == [True, False, True, False]
        return await database.query("SELECT name FROM rows ORDER BY name")

    async def run() -> list[Row]:
        database = SqliteDatabase(tmp_path / "a.sqlite", "NORMAL", wait_s=5.0)
        try:
            return await work(database)
        finally:
            await database.close()

    assert asyncio.run(run()) == [("a",), ("c",)]
