"""The writer of a SQLite file is one: who waits for it is refused in time, and no fault of a disk ends it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import settings as drawing
from hypothesis import strategies as st

from reference_impl.data import sqlite_writer
from reference_impl.data.database import DatabaseError, Statement, Transaction
from reference_impl.data.sqlite import SqliteDatabase
from reference_impl.data.sqlite_file import connect
from tests.unit.reference_impl.worked import worked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conftest import Shop

MAKE = "CREATE TABLE IF NOT EXISTS kept (name TEXT)"
ADD = "INSERT INTO kept (name) VALUES (?)"
ALL = "SELECT name FROM kept ORDER BY name"
WAIT_S = 0.05
LONG_S = 10.0


class Held:
    """A write that holds the writer until it is let go of."""

    def __init__(self) -> None:
        self.begun, self.over = threading.Event(), threading.Event()

    async def by(self, database: Any) -> asyncio.Task[None]:
        """Have it begun, and return its task."""
        task = self.asked(database)
        await self.held()
        return task

    def asked(self, database: Any) -> asyncio.Task[None]:
        """Ask for it; with the loop's next turn it waits behind what was asked for before."""
        return asyncio.create_task(database.transaction(self._body))

    async def held(self) -> None:
        """Wait until it holds the writer."""
        assert await asyncio.to_thread(self.begun.wait, LONG_S)

    def _body(self) -> Transaction[None]:
        yield Statement("SELECT 1")
        self.begun.set()
        assert self.over.wait(LONG_S)


class Failing:
    """A writer's connection on which some statements fail as on a broken disk, before they are done or after."""

    def __init__(self, connection: sqlite3.Connection, faults: dict[str, str]) -> None:
        self._connection, self._faults = connection, faults

    @property
    def in_transaction(self) -> bool:
        """Whether one is open."""
        return self._connection.in_transaction

    def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Execute one statement, or fail it once."""
        when = self._faults.pop(sql, "")
        if when == "before":
            raise sqlite3.OperationalError("disk I/O error")
        done = self._connection.execute(sql, parameters)
        if when:
            raise sqlite3.OperationalError("disk I/O error")
        return done

    def close(self) -> None:
        """Close it."""
        self._connection.close()


class OnBrokenDisk(SqliteDatabase):
    """SQLite whose writer's statements fail as `faults` says, each once."""

    faults: dict[str, str]
    connected = 0

    def _connect_writer(self) -> Any:
        self.connected += 1
        return Failing(super()._connect_writer(), self.faults)


@pytest.fixture
def on_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Runs a coroutine function on an empty database."""

    def run(work: Callable[..., Awaitable[Any]], wait_s: float = LONG_S, **faults: str) -> Any:
        path = tmp_path_factory.mktemp("writer") / "a.sqlite"
        opened = connect(path, "NORMAL", create=True)
        opened.execute(MAKE)
        opened.close()

        def broken() -> OnBrokenDisk:
            database = OnBrokenDisk(path, "NORMAL", wait_s)
            database.faults = faults
            return database

        return worked(broken, work)

    return run


@given(asked=st.integers(1, 100))
@drawing(max_examples=10)
def test_who_waits_for_the_writer_is_refused_in_time(tmp_path_factory: pytest.TempPathFactory, asked: int) -> None:
    """However many ask while it is held, each is told so and is never written; whoever asks later is."""
    path = tmp_path_factory.mktemp("held") / "a.sqlite"

    async def run() -> None:
        connect(path, "NORMAL", create=True).close()
        database, held = SqliteDatabase(path, "NORMAL", WAIT_S), Held()
        await database.run(MAKE)
        first = await held.by(database)
        async with asyncio.timeout(LONG_S):
            told = await asyncio.gather(*[database.run(ADD, "late") for _ in range(asked)], return_exceptions=True)
        assert {(type(error), getattr(error, "category", "")) for error in told} == {(DatabaseError, "unavailable")}
        held.over.set()
        await first
        await database.run(ADD, "next")
        assert await database.query(ALL) == [("next",)]
        await database.close()

    asyncio.run(run())


def test_a_write_that_was_begun_in_time_is_waited_for(on_file: Callable[..., Any]) -> None:
    """The bound is on what is not begun: a write that takes longer than a wait may last is kept and told."""

    async def work(database: SqliteDatabase) -> Any:
        held = Held()
        first = await held.by(database)
        await asyncio.sleep(3 * WAIT_S)
        held.over.set()
        return await first

    assert on_file(work, WAIT_S) is None


def test_a_queue_that_is_full_refuses_at_once(on_file: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that wait already are not touched by it, and are written once the writer goes on."""
    monkeypatch.setattr(sqlite_writer, "LONGEST", 3)

    async def work(database: SqliteDatabase) -> Any:
        held = Held()
        first = await held.by(database)
        waiting = [asyncio.create_task(database.run(ADD, name)) for name in "abc"]
        await asyncio.sleep(0)
        with pytest.raises(DatabaseError, match="3 writes wait already") as full:
            await database.run(ADD, "d")
        held.over.set()
        await asyncio.gather(first, *waiting)
        return full.value.category, await database.query(ALL)

    assert on_file(work) == ("unavailable", [("a",), ("b",), ("c",)])


@pytest.mark.engines("sqlite")
def test_a_client_is_told_to_come_again(open_shop: Callable[..., Shop]) -> None:
    """503 with Retry-After, long before the deadline of the request, and the same request is done afterwards."""
    shop = open_shop(pool_wait_s=WAIT_S)
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    held = Held()
    first = shop.runner.run(held.by(database))
    refused = shop.send("POST", "/categories", shop.admin, json={"name": "Bowls"})
    held.over.set()
    shop.runner.run(asyncio.wait_for(first, LONG_S))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["error"]["message"] == "The database does not answer."
    assert shop.send("GET", "/categories").json()["total"] == 0
    assert shop.category("Bowls")


async def told(write: Awaitable[Any]) -> tuple[str, bool]:
    """The category of a failed write, and whether it may be kept."""
    with pytest.raises(DatabaseError) as failed:
        await write
    return failed.value.category, failed.value.unknown


@pytest.mark.parametrize(
    ("faults", "unknown", "kept", "connections"),
    [
        ({"COMMIT": "before"}, False, [], 1),
        ({"COMMIT": "before", "ROLLBACK": "before"}, True, [], 2),
        ({"COMMIT": "before", "ROLLBACK": "after"}, True, [], 2),
        ({"COMMIT": "after"}, True, [("one",)], 2),
        ({"BEGIN IMMEDIATE": "before"}, False, [], 1),
        ({"BEGIN IMMEDIATE": "after", "ROLLBACK": "before"}, False, [], 2),
        ({"RELEASE job": "before", "ROLLBACK": "before"}, False, [], 2),
    ],
)
def test_a_fault_of_the_disk_does_not_end_the_writer(
    on_file: Callable[..., Any], faults: dict[str, str], kept: list[Any], connections: int, *, unknown: bool
) -> None:
    """The write is told as failed, or as unknown where its commit was on its way; the next is kept, if need be anew."""

    async def work(database: OnBrokenDisk) -> None:
        async with asyncio.timeout(LONG_S):
            assert await told(database.run(ADD, "one")) == ("unavailable", unknown)
            assert not database.faults, "each was met"
            await database.run(ADD, "two")
        assert await database.query(ALL) == [*kept, ("two",)]
        assert database.connected == connections

    on_file(work, **faults)


def test_a_group_that_cannot_be_undone_is_told_and_not_kept(on_file: Callable[..., Any]) -> None:
    """One of it left while it was written, and its ROLLBACK fails: its neighbours are told, and none is in doubt."""

    async def work(database: OnBrokenDisk) -> None:
        before, beside = Held(), Held()
        first = await before.by(database)
        leaving = asyncio.create_task(database.run(ADD, "left"))
        staying = beside.asked(database)
        await asyncio.sleep(0)  # both wait, and are one group
        before.over.set()
        await first
        await beside.held()
        leaving.cancel()
        await asyncio.sleep(0)
        database.faults["ROLLBACK"] = "before"
        beside.over.set()
        async with asyncio.timeout(LONG_S):
            assert await told(staying) == ("unavailable", False)
            (gone,) = await asyncio.gather(leaving, return_exceptions=True)
            assert isinstance(gone, asyncio.CancelledError)
            await database.run(ADD, "next")
        assert (await database.query(ALL), database.faults) == ([("next",)], {})

    on_file(work)


def test_who_is_cancelled_in_a_commit_that_may_be_kept_is_told_so(
    on_file: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not taken for one of which nothing is kept: the error says that it is unknown."""
    committing, go = threading.Event(), threading.Event()
    execute = Failing.execute

    def slowly(self: Failing, sql: str, parameters: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        if sql == "COMMIT" and "COMMIT" in self._faults:
            committing.set()
            assert go.wait(LONG_S)
        return execute(self, sql, parameters)

    monkeypatch.setattr(Failing, "execute", slowly)

    async def work(database: OnBrokenDisk) -> Any:
        task = asyncio.create_task(database.run(ADD, "one"))
        assert await asyncio.to_thread(committing.wait, LONG_S)
        task.cancel()
        await asyncio.sleep(0)
        go.set()
        return await told(task), await database.query(ALL)

    assert on_file(work, COMMIT="after") == (("unavailable", True), [("one",)])
