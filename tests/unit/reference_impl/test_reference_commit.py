"""A caller who is cancelled while its write is committed is told what happened; before that nothing is kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from reference_impl.data.database import Database, DatabaseError, Statement, Transaction
from reference_impl.data.postgres import Bounds, PostgresDatabase
from tests.unit.reference_impl.held_commits import ADD, ALL, WAITING, adding, postgres_scene, sqlite_scene

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reference_impl.settings import Settings

ENDING = f"SELECT pg_terminate_backend(pid) FROM ({WAITING}) AS waiting"  # noqa: S608 - constants only


@pytest.mark.parametrize("times", [1, 3])
def test_who_is_cancelled_in_a_commit_is_told_that_it_is_kept(on_scene: Callable[..., Any], times: int) -> None:
    """However often it is cancelled, the result comes and the rows are there."""

    async def work(database: Database, held: Any, go: Any) -> Any:
        task = asyncio.ensure_future(database.transaction(lambda: adding("one")))
        await held()
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        await go()
        return await task, await database.query(ALL)

    assert on_scene(work) == ("one", [("one",)])


@pytest.mark.engines("sqlite")
def test_one_write_is_kept_once_it_is_committed(on_scene: Callable[..., Any]) -> None:
    """It is told like any transaction."""

    async def work(database: Database, held: Any, go: Any) -> Any:
        task = asyncio.ensure_future(database.run(ADD, "one"))
        await held()
        task.cancel()
        await asyncio.sleep(0)
        await go()
        return await task, await database.query(ALL)

    assert on_scene(work) == ([], [("one",)])


@pytest.mark.engines("postgresql")
@pytest.mark.parametrize("times", [1, 3])
def test_one_write_that_waits_for_a_lock_is_ended(on_scene: Callable[..., Any], times: int) -> None:
    """The lock need not be let go, nothing is kept, and the connection serves on."""

    async def work(database: Database, held: Any, _: Any) -> Any:
        task = asyncio.ensure_future(database.run(ADD, "one"))
        await held()
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        async with asyncio.timeout(5):  # the statement's own bound is 10 s
            (result,) = await asyncio.gather(task, return_exceptions=True)
        return type(result), await database.query(ALL)

    assert on_scene(work) == (asyncio.CancelledError, [])


@pytest.mark.engines("postgresql")
def test_a_stop_that_comes_too_late_ends_nothing(
    open_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One write that was kept by then is told, and what runs next on its connection is whole."""
    url = open_settings().storage.database_url
    stop = PostgresDatabase._stop

    async def run() -> Any:
        database, held, go = await postgres_scene(url)

        async def late(self: PostgresDatabase, pid: int, _: asyncio.Future[Any]) -> None:
            await go()
            other = await asyncpg.connect(url)
            while not await other.fetchval("SELECT COUNT(*) FROM tenant_held.kept"):  # noqa: ASYNC110 - a commit of another connection sets no event here
                await asyncio.sleep(0.005)
            await other.close()
            await stop(self, pid, asyncio.get_running_loop().create_future())  # as if it had not been told yet

        monkeypatch.setattr(PostgresDatabase, "_stop", late)
        task = asyncio.ensure_future(database.run(ADD, "one"))
        await held()
        task.cancel()
        told = await task
        rows = [await database.query(ALL) for _ in range(5)]
        await database.close()
        return told, rows

    assert asyncio.run(run()) == ([], [[("one",)]] * 5)


@pytest.mark.engines("postgresql")
def test_nobody_waits_for_a_stop(open_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that is kept is told while a stop has yet to come through, and what runs next is not what it ends."""
    url, pid_of = open_settings().storage.database_url, "SELECT pg_backend_pid()"

    async def run() -> Any:
        database, held, go = await postgres_scene(url)
        stopped: list[int] = []

        async def stop(_: PostgresDatabase, pid: int, *_rest: object) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                stopped.append(pid)

        monkeypatch.setattr(PostgresDatabase, "_stop", stop)
        before = await database.query_one(pid_of)
        task = asyncio.ensure_future(database.run(ADD, "one"))
        await held()
        task.cancel()
        await asyncio.sleep(0)
        await go()
        assert (await asyncio.wait({task}, timeout=5))[0] == {task}
        told = task.result()
        rows, after = await database.query(ALL), await database.query_one(pid_of)
        assert stopped == []
        await database.close()
        return told, rows, after == before, [(pid,) for pid in stopped] == [before]

    assert asyncio.run(run()) == ([], [("one",)], False, True)


def test_who_is_cancelled_in_a_commit_that_fails_stays_cancelled(on_scene: Callable[..., Any]) -> None:
    """Nothing is kept then, and that is what a cancelled caller takes for granted."""

    async def work(database: Database, held: Any, go: Any) -> Any:
        task = asyncio.ensure_future(database.transaction(lambda: adding("bad")))
        await held()
        task.cancel()
        await asyncio.sleep(0)
        await go()
        (result,) = await asyncio.gather(task, return_exceptions=True)
        return type(result), await database.query(ALL)

    assert on_scene(work) == (asyncio.CancelledError, [])


@pytest.mark.engines("sqlite")
def test_a_cancel_that_comes_when_it_is_kept_already_finds_it_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result was on its way to the caller: cancelling it loses neither the result nor the truth."""

    async def run() -> Any:
        database, held, go = await sqlite_scene(tmp_path / "a.sqlite")
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(database.transaction(lambda: adding("one")))
        await held()
        resolved = loop.create_future()
        put = loop.call_soon_threadsafe

        def then(callback: Any, job: Any, *rest: Any) -> Any:
            def both() -> None:
                callback(job, *rest)
                task.cancel()
                resolved.set_result(None)

            return put(both)

        with monkeypatch.context() as between:  # the commit and its caller
            between.setattr(loop, "call_soon_threadsafe", then)
            await go()
            await resolved
        result = await task
        rows = await database.query(ALL)
        await database.close()
        return result, rows

    assert asyncio.run(run()) == ("one", [("one",)])


@pytest.mark.engines("postgresql")
@pytest.mark.parametrize("cancelled", [False, True])
def test_a_commit_whose_end_is_lost_is_unknown(open_settings: Callable[..., Settings], *, cancelled: bool) -> None:
    """A connection that ends under a COMMIT says so, cancelled or not; the next caller is served."""
    url = open_settings().storage.database_url

    async def run() -> Any:
        database, held, go = await postgres_scene(url)
        task = asyncio.ensure_future(database.transaction(lambda: adding("one")))
        await held()
        if cancelled:
            task.cancel()
            await asyncio.sleep(0)
        other = await asyncpg.connect(url)
        await other.execute(ENDING)
        await other.close()
        (result,) = await asyncio.gather(task, return_exceptions=True)
        await go()
        rows = await database.query(ALL)
        await database.close()
        assert isinstance(result, DatabaseError)
        return result.category, result.unknown, rows

    assert asyncio.run(run()) == ("unavailable", True, [])


@pytest.mark.engines("postgresql")
def test_a_connection_that_ends_under_a_statement_is_an_outage(open_settings: Callable[..., Settings]) -> None:
    """It is told as one, nothing is kept or in doubt, and the pool makes another."""
    url = open_settings().storage.database_url

    def ending() -> Transaction[None]:
        yield Statement("SELECT pg_terminate_backend(pg_backend_pid())")

    async def run() -> Any:
        database = PostgresDatabase(url, "pg_catalog", Bounds(1, 5.0, 5.0))
        try:
            with pytest.raises(DatabaseError) as lost:
                await database.transaction(ending)
            return lost.value.category, lost.value.unknown, await database.query_one("SELECT 1")
        finally:
            await database.close()

    assert asyncio.run(run()) == ("unavailable", False, (1,))
