"""The readers of a SQLite file are few: who waits for one is refused in time, and who left does not hold one."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import settings as drawing
from hypothesis import strategies as st

from reference_impl.data.database import DatabaseError, Row, Statement, Transaction
from reference_impl.data.sqlite import SqliteDatabase
from reference_impl.data.sqlite_file import connect
from reference_impl.data.sqlite_readers import THREADS
from tests.unit.reference_impl.worked import worked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conftest import Shop

    from reference_impl.data.database import Database

ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
WAIT_S = 0.05
LONG_S = 10.0


class Slow:
    """Reads that hold every reader until they are let go of."""

    def __init__(self) -> None:
        self._begun = [threading.Event() for _ in range(THREADS)]
        self._over = threading.Event()

    async def held(self, database: Database) -> asyncio.Future[list[Any]]:
        """Begin them, and return what becomes of them."""
        reads = [asyncio.create_task(database.read(lambda event=event: self._body(event))) for event in self._begun]
        for event in self._begun:
            assert await asyncio.to_thread(event.wait, LONG_S)
        return asyncio.gather(*reads)

    def over(self) -> None:
        """Let them come to their end."""
        self._over.set()

    def _body(self, begun: threading.Event) -> Transaction[list[Row]]:
        begun.set()
        assert self._over.wait(LONG_S)
        return (yield Statement("SELECT 1"))


@pytest.fixture(scope="module")
def on_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Runs a coroutine function on a file's database."""
    path = tmp_path_factory.mktemp("readers") / "a.sqlite"
    connect(path, "NORMAL", create=True).close()

    def run(work: Callable[[SqliteDatabase], Awaitable[Any]], wait_s: float) -> Any:
        return worked(lambda: SqliteDatabase(path, "NORMAL", wait_s), work)

    return run


@given(asked=st.integers(1, 40))
@drawing(max_examples=10)
def test_who_waits_for_a_reader_is_refused_in_time(on_file: Callable[..., Any], asked: int) -> None:
    """However many ask while all are held, each is told so; those that hold one, and who asks later, are answered."""

    async def work(database: SqliteDatabase) -> None:
        slow = Slow()
        held = await slow.held(database)
        async with asyncio.timeout(LONG_S):
            told = await asyncio.gather(*[database.query("SELECT 2") for _ in range(asked)], return_exceptions=True)
        assert {getattr(error, "category", error) for error in told} == {"unavailable"}
        assert await database.query_one("SELECT 3") == (3,), "what reads by key waits for no thread"
        slow.over()
        assert await held == [[(1,)]] * THREADS
        assert await database.query("SELECT 2") == [(2,)]

    on_file(work, WAIT_S)


def test_a_read_whose_caller_has_gone_gives_its_reader_back(on_file: Callable[..., Any]) -> None:
    """It is ended in the middle of its statement, and the next on the same connection is not."""

    async def work(database: SqliteDatabase) -> list[Any]:
        for _ in range(5):
            begun = [threading.Event() for _ in range(THREADS)]

            def endless(event: threading.Event) -> Transaction[list[Row]]:
                event.set()
                return (yield Statement(ENDLESS))

            reads = [asyncio.create_task(database.read(lambda event=event: endless(event))) for event in begun]
            for event in begun:
                assert await asyncio.to_thread(event.wait, LONG_S)
            for read in reads:
                read.cancel()
            ended = await asyncio.gather(*reads, return_exceptions=True)
            assert [type(error) for error in ended] == [asyncio.CancelledError] * THREADS
            assert await asyncio.gather(*[database.query("SELECT 2") for _ in range(6)]) == [[(2,)]] * 6
        return await database.query("SELECT 3")

    assert on_file(work, LONG_S) == [(3,)]


def test_who_leaves_the_queue_is_not_read_for(on_file: Callable[..., Any]) -> None:
    """One that waits and is cancelled stays cancelled, and its body is never begun."""

    async def work(database: SqliteDatabase) -> list[str]:
        slow, begun = Slow(), list[str]()
        held = await slow.held(database)

        def body() -> Transaction[list[Row]]:
            begun.append("begun")
            return (yield Statement("SELECT 2"))

        waiting = asyncio.create_task(database.read(body))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        slow.over()
        await held
        await asyncio.gather(*[database.query("SELECT 2") for _ in range(THREADS)])
        return begun

    assert on_file(work, LONG_S) == []


@pytest.mark.engines("sqlite")
def test_a_client_is_told_to_come_again(open_shop: Callable[..., Shop]) -> None:
    """It is 503 with Retry-After in time; what needs no reader is served, and so is all once one is free."""
    shop = open_shop(pool_wait_s=WAIT_S)
    slow = Slow()
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert database is not None
    held = shop.runner.run(slow.held(database))
    refused = shop.send("GET", "/users", shop.admin)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "UNAVAILABLE")
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["error"]["retryable"] is True
    assert shop.send("GET", "/auth/me", shop.admin).status_code == 200
    slow.over()

    async def ended() -> list[Any]:
        return await held

    assert shop.runner.run(ended()) == [[(1,)]] * THREADS
    assert shop.send("GET", "/users", shop.admin).status_code == 200


def test_a_file_that_cannot_be_opened_is_told(on_file: Callable[..., Any]) -> None:
    """A reader's connection is made when it is first asked for; that the file has gone is `unavailable`."""

    async def work(database: SqliteDatabase) -> str:
        moved = database.path.rename(database.path.with_suffix(".away"))
        try:
            with pytest.raises(DatabaseError) as refused:
                await database.query("SELECT 1")
        finally:
            moved.rename(database.path)
        return refused.value.category

    assert on_file(work, LONG_S) == "unavailable"
