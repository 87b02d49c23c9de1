"""DoSQL works for whoever waits: a wait has an end, and what nobody waits for any more is not run, or is undone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import settings as drawing
from hypothesis import strategies as st

from reference_impl.dosql.database import TenantDatabase
from reference_impl.dosql.presence import ClientGoneError, while_there
from reference_impl.dosql.types import Operation, StatementInput
from reference_impl.errors import ApiError
from reference_impl.settings import load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Message

WAIT_S = 0.05
LONG_S = 20.0
READ = StatementInput("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n")
WRITE = StatementInput(
    "INSERT INTO book WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n"
)
ADD = StatementInput("INSERT INTO book VALUES (1)")
COUNT = StatementInput("SELECT COUNT(*) AS count FROM book")


@pytest.fixture(scope="module")
def on_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Runs a coroutine function on a file with an empty table, whose statements may take very long."""

    def run(work: Callable[[TenantDatabase], Awaitable[Any]], wait_s: float) -> Any:
        async def whole() -> Any:
            path = tmp_path_factory.mktemp("dosql") / "a.sqlite"
            path.touch()
            database = TenantDatabase(path, load({"API_PROFILE": "verify", "API_DOSQL_TIMEOUT_S": "60"}).dosql, wait_s)
            try:
                async with asyncio.timeout(LONG_S):
                    await database.run(StatementInput("CREATE TABLE book (id INTEGER)"))
                    return await work(database)
            finally:
                database.close()

        return asyncio.run(whole())

    return run


def adding(database: TenantDatabase, *, together: bool) -> Awaitable[Any]:
    """One write, alone or as a transaction's step."""
    if together:
        return database.transaction([Operation(kind="run", sql=ADD.sql)])
    return database.run(ADD)


@given(asked=st.lists(st.booleans(), min_size=1, max_size=20))
@drawing(max_examples=10)
def test_who_waits_is_refused_in_time_and_written_for_never(on_file: Callable[..., Any], asked: list[bool]) -> None:
    """However many wait for the writer, each is told to come again; a read goes on; who left is undone at once."""

    async def work(database: TenantDatabase) -> None:
        held = asyncio.create_task(database.run(WRITE))
        await asyncio.sleep(0)
        waiting = [adding(database, together=together) for together in asked]
        told = await asyncio.gather(*waiting, return_exceptions=True)
        for error in told:
            assert isinstance(error, ApiError)
            assert (error.status, error.code) == (503, "UNAVAILABLE")
            assert dict(error.headers)[b"retry-after"] == b"1"
            assert error.envelope("id").error.retryable
        assert await database.query(COUNT) == [{"count": 0}]
        held.cancel()
        with pytest.raises(asyncio.CancelledError):
            await held
        await database.run(ADD)
        assert await database.query(COUNT) == [{"count": 1}]

    on_file(work, WAIT_S)


def test_a_read_whose_caller_has_gone_gives_the_reader_back(on_file: Callable[..., Any]) -> None:
    """It ends in the middle of its statement; those that waited for it meanwhile are refused, those after it served."""

    async def work(database: TenantDatabase) -> None:
        for _ in range(3):
            held = asyncio.create_task(database.query(READ))
            await asyncio.sleep(0)
            with pytest.raises(ApiError, match="nothing of this was begun"):
                await database.query_one(COUNT)
            held.cancel()
            with pytest.raises(asyncio.CancelledError):
                await held
            assert await database.query_one(COUNT) == {"count": 0}

    on_file(work, WAIT_S)


def test_who_leaves_the_queue_is_not_written_for(on_file: Callable[..., Any]) -> None:
    """One that waits and is cancelled stays cancelled, and its statement is never run."""

    async def work(database: TenantDatabase) -> Any:
        held = asyncio.create_task(database.run(WRITE))
        await asyncio.sleep(0)
        waiting = [asyncio.ensure_future(adding(database, together=together)) for together in (False, True)]
        await asyncio.sleep(0)
        for one in (*waiting, held):
            one.cancel()
        ended = await asyncio.gather(*waiting, held, return_exceptions=True)
        assert [type(error) for error in ended] == [asyncio.CancelledError] * 3
        return (await database.run(COUNT)).rows

    assert on_file(work, LONG_S) == [{"count": 0}]


@given(pieces=st.integers(0, 3))
def test_work_ends_with_its_client(pieces: int) -> None:
    """Whatever the server still says of the body, the client's leaving ends the work, and what is done is answered."""

    async def run() -> None:
        ended = asyncio.Event()

        async def receive() -> Message:
            nonlocal pieces
            await asyncio.sleep(0)
            pieces -= 1
            kind = "http.disconnect" if pieces < 0 else "http.request"
            return {"type": kind, "body": b"", "more_body": False}

        async def staying() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        async def endless() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        async def short() -> int:
            return 7

        with pytest.raises(ClientGoneError):
            await while_there(receive, endless())
        assert ended.is_set()
        assert await while_there(staying, short()) == 7

    asyncio.run(run())
