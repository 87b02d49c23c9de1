"""However many tenants there are, a process has so many connections to PostgreSQL and no more."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as drawing
from hypothesis import strategies as st

from reference_impl.data.database import DatabaseError
from reference_impl.data.postgres import Bounds, PostgresDatabase
from reference_impl.data.postgres_pool import Budget
from reference_impl.data.tenants import open_tenants

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reference_impl.settings import Settings

pytestmark = pytest.mark.engines("postgresql")
CONNECTED = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
LONG_S = 20.0


@pytest.fixture
def on_schemas(open_settings: Callable[..., Settings]) -> Callable[..., Any]:
    """Runs a coroutine function on the databases of schemas with one budget, and a look at what is connected."""
    url = open_settings().storage.database_url

    def run(work: Callable[..., Awaitable[Any]], schemas: int, budget: int, bounds: Bounds) -> Any:
        async def whole() -> Any:
            shared, looking = Budget(budget), await asyncpg.connect(url)
            databases = [PostgresDatabase(url, f"tenant_{number}", bounds, shared) for number in range(schemas)]
            try:
                return await work(databases, looking)
            finally:
                for database in databases:
                    await database.close()
                left = await looking.fetchval(CONNECTED)
                await looking.close()
                assert left == 0, "each is closed"

        return asyncio.run(whole())

    return run


@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 3), st.integers(1, 60))
@drawing(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_budget_is_kept_and_all_are_served(
    on_schemas: Callable[..., Any], schemas: int, budget: int, each: int, asked: int
) -> None:
    """Whatever is asked of whichever schemas at once, each has its answer from its own, and no more are connected."""

    async def work(databases: list[PostgresDatabase], looking: Any) -> None:
        seen: list[int] = []
        over = asyncio.Event()

        async def look() -> None:
            while not over.is_set():
                seen.append(await looking.fetchval(CONNECTED))

        watching = asyncio.create_task(look())
        told = await asyncio.gather(
            *[databases[number % schemas].query("SELECT current_setting('search_path')") for number in range(asked)]
        )
        over.set()
        await watching
        assert told == [[(f'"tenant_{number % schemas}"',)] for number in range(asked)]
        assert max(seen) <= budget

    on_schemas(work, schemas, budget, Bounds(each, LONG_S, LONG_S))


def test_who_finds_the_budget_spent_is_refused_in_time(on_schemas: Callable[..., Any]) -> None:
    """Another tenant holds all of it: unavailable after the wait that was set, and served once some is given back."""

    async def work(databases: list[PostgresDatabase], _: Any) -> Any:
        await asyncio.gather(*[databases[0].query("SELECT pg_sleep(0.05)") for _ in range(2)])  # they are connected
        held = [asyncio.create_task(databases[0].query("SELECT pg_sleep(3)")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(DatabaseError) as refused:
            await databases[1].query_one("SELECT 1")
        over = [task.done() for task in held]
        await asyncio.gather(*held)
        return refused.value.category, over, await databases[1].query_one("SELECT 1")

    assert on_schemas(work, 2, 2, Bounds(2, 0.5, LONG_S)) == ("unavailable", [False, False], (1,))


def test_idle_connections_make_room_for_another_tenant(on_schemas: Callable[..., Any]) -> None:
    """A tenant that was busy and is quiet does not keep others out."""

    async def work(databases: list[PostgresDatabase], looking: Any) -> Any:
        await asyncio.gather(*[databases[0].query("SELECT pg_sleep(0.05)") for _ in range(3)])
        before = await looking.fetchval(CONNECTED)
        for database in databases[1:]:
            assert await database.query_one("SELECT 1") == (1,)
        return before, await looking.fetchval(CONNECTED)

    assert on_schemas(work, 4, 3, Bounds(3, 5.0, LONG_S)) == (3, 3)


def test_who_leaves_a_statement_gives_its_place_back_once_it_has_ended(on_schemas: Callable[..., Any]) -> None:
    """Reads that are cancelled are over at the server before others have their places."""

    async def work(databases: list[PostgresDatabase], looking: Any) -> None:
        for _ in range(3):
            reading = [asyncio.create_task(databases[0].query("SELECT pg_sleep(60)")) for _ in range(4)]
            while await looking.fetchval(f"{CONNECTED} AND query LIKE '%pg_sleep%'") < 4:
                pass
            for task in reading:
                task.cancel()
            left = await asyncio.gather(*reading, return_exceptions=True)
            assert [type(one) for one in left] == [asyncio.CancelledError] * 4
            for database in databases[1:]:
                assert await database.query_one("SELECT 1") == (1,)
                assert await looking.fetchval(CONNECTED) <= 4

    on_schemas(work, 3, 4, Bounds(4, LONG_S, LONG_S))


def test_writes_that_are_left_together_are_ended_by_one_connection(on_schemas: Callable[..., Any]) -> None:
    """Twenty of two tenants wait for one lock; one connection after the other ends them, beside the budget."""
    waiting = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

    async def work(databases: list[PostgresDatabase], looking: Any) -> None:
        await looking.execute("SELECT pg_advisory_lock(7)")
        writing = [
            asyncio.create_task(databases[number % 2].run("SELECT pg_advisory_xact_lock(7)::text"))
            for number in range(20)
        ]
        while await looking.fetchval(waiting) < 20:
            pass
        for task in writing:
            task.cancel()
        seen: list[int] = []
        while not all(task.done() for task in writing):
            seen.append(await looking.fetchval(CONNECTED))
        left = await asyncio.gather(*writing, return_exceptions=True)
        assert [type(one) for one in left] == [asyncio.CancelledError] * 20
        assert max(seen) <= 20 + 1

    on_schemas(work, 2, 20, Bounds(10, LONG_S, LONG_S))


def test_who_leaves_while_waiting_takes_no_place(on_schemas: Callable[..., Any]) -> None:
    """Callers who are cancelled before or as a place comes to them leave it to the next."""

    async def work(databases: list[PostgresDatabase], _: Any) -> None:
        for turns in range(30):
            held = asyncio.create_task(databases[0].query("SELECT pg_sleep(0.01)"))
            await asyncio.sleep(0)
            leaving = [asyncio.create_task(database.query("SELECT 1")) for database in databases[1:3]]
            await asyncio.sleep(turns * 0.001)
            for task in leaving:
                task.cancel()
            await asyncio.gather(held, *leaving, return_exceptions=True)
            assert await databases[3].query_one("SELECT 2") == (2,)

    on_schemas(work, 4, 1, Bounds(2, LONG_S, LONG_S))


def test_a_connection_that_the_server_ended_gives_its_place_back(on_schemas: Callable[..., Any]) -> None:
    """All idle ones are ended by the server, more often than the budget has places; others still get theirs."""

    async def work(databases: list[PostgresDatabase], looking: Any) -> None:
        ending = CONNECTED.replace("COUNT(*)", "pg_terminate_backend(pid)")
        for _ in range(4):
            assert await asyncio.gather(*[one.query_one("SELECT 1") for one in databases]) == [(1,)] * 2
            await looking.fetch(ending)
            while await looking.fetchval(CONNECTED):
                pass
            await asyncio.sleep(0.05)  # the end of a connection comes by the network

    on_schemas(work, 2, 2, Bounds(2, 5.0, LONG_S))


def test_who_waits_for_what_is_closed_already_goes_on() -> None:
    """Its place is given back, and nothing is being closed any more: the wait is over."""

    class Closed:
        async def close(self, **told: float) -> None:
            assert told["timeout"] > 0

    async def work() -> None:
        budget = Budget(1)
        await budget.take()
        budget.end(Closed())
        await asyncio.sleep(0)
        await budget.ended()
        await budget.take()

    over = threading.Event()
    threading.Thread(target=lambda: (asyncio.run(work()), over.set()), daemon=True).start()
    assert over.wait(LONG_S)


def test_a_place_that_was_given_is_not_on_its_way() -> None:
    """Two wait and one connection is closed: in the turn in which its place is given the other is still wanted."""
    wanted: list[bool] = []

    class Closing:
        async def close(self, **told: float) -> None:
            assert told["timeout"] > 0
            wanted.append(budget.wanted)
            asyncio.get_running_loop().call_soon(lambda: wanted.append(budget.wanted))

    async def work() -> None:
        await budget.take()
        await budget.take()
        waiting = [asyncio.create_task(budget.take()) for _ in range(2)]
        await asyncio.sleep(0)
        for _ in waiting:
            budget.end(Closing())
            await budget.ended()
        await asyncio.gather(*waiting)

    budget = Budget(2)
    asyncio.run(work())
    assert wanted == [True, True, False, False]


def test_all_tenants_of_a_process_share_the_setting(open_settings: Callable[..., Settings]) -> None:
    """Three busy tenants of an installation with two connections are all served by two, beside the list of tenants."""
    settings = open_settings(database_connections=2, pool_size=3, pool_wait_s=LONG_S)

    async def work() -> int:
        tenants = open_tenants(settings)
        looking = await asyncpg.connect(settings.storage.database_url)
        try:
            names = ["alpha", "beta", "gamma"]
            for name in names:
                await tenants.create(name)
            databases = [database for name in names if (database := await tenants.get(name)) is not None]
            await asyncio.gather(*[databases[number % 3].query("SELECT pg_sleep(0.02)") for number in range(18)])
            return int(await looking.fetchval(f"{CONNECTED} AND query LIKE '%pg_sleep%'"))
        finally:
            await tenants.close()
            await looking.close()

    assert asyncio.run(work()) == 2
