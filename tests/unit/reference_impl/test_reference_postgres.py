"""What PostgreSQL alone has: transactions that lose and are run again, rows that are waited for, a bounded pool."""

from __future__ import annotations

import asyncio
import time
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from reference_impl.data.database import DatabaseError, Statement, Transaction
from reference_impl.data.postgres import RETRIES, Bounds, PostgresDatabase
from reference_impl.data.tenants import open_tenants

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reference_impl.settings import Settings

pytestmark = pytest.mark.engines("postgresql")
SET = "INSERT INTO tenant_settings (name, value, updated_at, updated_by) VALUES (?, ?, '', '')"
GET = "SELECT value FROM tenant_settings WHERE name = ?"
PUT = "UPDATE tenant_settings SET value = ? WHERE name = ?"
SUM = "SELECT SUM(CAST(value AS BIGINT)) FROM tenant_settings"


class Rival:
    """A second connection, which commits at the moment a body reaches."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def run(self, sql: str, *parameters: object) -> None:
        """Commit one statement."""
        bounds = Bounds(1, 5.0, 5.0)
        database = PostgresDatabase(self._settings.storage.database_url, "tenant_alpha", bounds)

        def body() -> Transaction[None]:
            yield Statement(sql, parameters)

        try:
            await database.transaction(body)
        finally:
            await database.close()


@pytest.fixture
def settings_of_test(open_settings: Callable[..., Settings]) -> Settings:
    """One pool of three connections."""
    return open_settings(pool_size=3, pool_wait_s=30.0)


@pytest.fixture
def on_schema(settings_of_test: Settings) -> Callable[..., Any]:
    """Runs a coroutine function on a schema that has the settings a and b, both 100."""

    def run(work: Callable[[PostgresDatabase], Awaitable[Any]]) -> Any:
        async def whole() -> Any:
            tenants = open_tenants(settings_of_test)
            try:
                await tenants.create("alpha")
                database = await tenants.get("alpha")
                assert isinstance(database, PostgresDatabase)
                for name in "ab":
                    await database.run(SET, name, "100")
                return await work(database)
            finally:
                await tenants.close()

        return asyncio.run(whole())

    return run


def test_two_that_conflict_run_as_if_alone(on_schema: Callable[..., Any]) -> None:
    """Of two withdrawals that each saw enough in both accounts, one is run again and then sees too little."""
    tries: list[str] = []

    def withdraw(name: str) -> Transaction[bool]:
        total = yield Statement(SUM)
        tries.append(name)
        if total[0][0] < 150:
            return False
        while len(tries) < 2:  # until the other has seen the sum too
            yield Statement("SELECT 1")
        held = yield Statement(GET, (name,))
        yield Statement(PUT, (str(int(held[0][0]) - 150), name))
        return True

    async def work(database: PostgresDatabase) -> tuple[list[bool], Any]:
        both = [database.transaction(lambda name=name: withdraw(name)) for name in "ab"]
        return await asyncio.gather(*both), await database.query_one(SUM)

    done, left = on_schema(work)
    assert (sorted(done), left, len(tries)) == ([False, True], (50,), 3)


def test_many_that_conflict_all_succeed(on_schema: Callable[..., Any]) -> None:
    """Of thirty that each read what all of them write, none is refused: those that lost are run one after the other."""

    def body(number: int) -> Transaction[None]:
        total = yield Statement(SUM)
        yield Statement(SET, (f"n{number}", "1"))
        yield Statement(PUT, (str(total[0][0] - 99), "a"))

    async def work(database: PostgresDatabase) -> Any:
        await asyncio.gather(*[database.transaction(lambda number=number: body(number)) for number in range(30)])
        return await database.query_one("SELECT COUNT(*) FROM tenant_settings")

    assert on_schema(work) == (32,)


def test_who_loses_each_time_is_told_conflict(on_schema: Callable[..., Any], settings_of_test: Settings) -> None:
    """A body that a rival overtakes on every try is tried four times, then refused, and leaves nothing."""
    tries: list[int] = []

    async def work(database: PostgresDatabase) -> tuple[str, Any]:
        loop = asyncio.get_running_loop()
        rival = Rival(settings_of_test)

        def body() -> Transaction[None]:
            tries.append(1)
            yield Statement(GET, ("a",))
            raced = loop.create_task(rival.run(PUT, f"rival {len(tries)}", "a"))
            while not raced.done():
                yield Statement("SELECT 1")
            yield Statement(PUT, ("mine", "a"))

        with pytest.raises(DatabaseError) as lost:
            await database.transaction(body)
        return lost.value.category, await database.query_one(GET, "a")

    assert on_schema(work) == ("conflict", (f"rival {RETRIES + 1}",))
    assert len(tries) == RETRIES + 1


def test_a_locked_row_is_waited_for(on_schema: Callable[..., Any]) -> None:
    """Forty that lock one row before they decide on it all succeed, each at its first try."""
    tries: list[int] = []

    def body() -> Transaction[None]:
        tries.append(1)
        held = yield Statement(GET, ("a",), lock=True)
        yield Statement(PUT, (str(int(held[0][0]) + 1), "a"))

    async def work(database: PostgresDatabase) -> Any:
        gate = asyncio.Semaphore(3)  # as many as there are connections

        async def one() -> None:
            async with gate:
                await database.transaction(body, locking=True)

        await asyncio.gather(*[one() for _ in range(40)])
        return await database.query_one(GET, "a")

    assert on_schema(work) == ("140",)
    assert len(tries) == 40


def test_rows_locked_in_opposite_orders_are_tried_again(on_schema: Callable[..., Any]) -> None:
    """A deadlock costs one of the two a second try and neither its effect."""

    def body(first: str, second: str) -> Transaction[None]:
        for name in (first, second):
            held = yield Statement(GET, (name,), lock=True)
            yield Statement("SELECT pg_sleep(0.05)")
            yield Statement(PUT, (str(int(held[0][0]) + 1), name))

    async def work(database: PostgresDatabase) -> Any:
        await asyncio.gather(
            database.transaction(lambda: body("a", "b"), locking=True),
            database.transaction(lambda: body("b", "a"), locking=True),
        )
        return await database.query_one(SUM)

    assert on_schema(work) == (204,)


def test_an_exhausted_pool_refuses_in_time(open_settings: Callable[..., Settings]) -> None:
    """With every connection taken the next caller is told after the wait that was set, and served again later."""
    settings = open_settings()

    async def work() -> tuple[str, list[bool], Any]:
        database = PostgresDatabase(settings.storage.database_url, "pg_catalog", Bounds(3, 1.0, 30.0))
        try:
            await asyncio.gather(*[database.query_one("SELECT 1") for _ in range(3)])  # they are connected
            held = [asyncio.ensure_future(database.query("SELECT pg_sleep(4)")) for _ in range(3)]
            await asyncio.sleep(0)  # they take their connections
            with pytest.raises(DatabaseError) as refused:
                await database.query_one("SELECT 1")
            over = [task.done() for task in held]
            await asyncio.gather(*held)
            return refused.value.category, over, await database.query_one("SELECT 1")
        finally:
            await database.close()

    assert asyncio.run(work()) == ("unavailable", [False, False, False], (1,))


def test_a_statement_that_takes_too_long_is_ended(open_settings: Callable[..., Settings]) -> None:
    """It is a time-out after the limit, and its connection is replaced."""
    settings = open_settings(command_timeout_s=0.3)

    async def work() -> tuple[str, Any]:
        database = PostgresDatabase(settings.storage.database_url, "pg_catalog", Bounds(1, 5.0, 0.3))
        try:
            with pytest.raises(DatabaseError) as late:
                await database.query("SELECT pg_sleep(30)")
            return late.value.category, await database.query_one("SELECT 1")
        finally:
            await database.close()

    assert asyncio.run(work()) == ("timeout", (1,))


def test_a_body_that_goes_on_after_a_refusal_is_a_fault(on_schema: Callable[..., Any]) -> None:
    """PostgreSQL commits nothing of it, so it may not pass for committed."""

    def body() -> Transaction[None]:
        try:
            yield Statement(SET, ("a", "again"))
        except DatabaseError:
            return

    async def work(database: PostgresDatabase) -> None:
        with pytest.raises(RuntimeError, match="savepoint"):
            await database.transaction(body)

    on_schema(work)


def test_a_tenant_made_meanwhile_is_seen(open_settings: Callable[..., Settings]) -> None:
    """A server that runs serves a tenant that another process makes, and no half-made one."""
    settings = open_settings()

    async def work() -> list[bool]:
        server, command = open_tenants(settings), open_tenants(settings)
        name = f"made-{time.time_ns()}"
        try:
            seen = [await server.get(name) is not None]
            made = asyncio.ensure_future(command.create(name))
            while not made.done():
                database = await server.get(name)
                seen.append(database is None or await database.query("SELECT COUNT(*) FROM room_messages") == [(0,)])
            return [*seen, await server.get(name) is not None]
        finally:
            await server.close()
            await command.close()

    first, *between, last = asyncio.run(work())
    assert (first, all(between), last) == (False, True, True)


def test_long_names_do_not_share_a_schema(open_settings: Callable[..., Settings]) -> None:
    """A name that PostgreSQL would cut is refused with the rule."""
    tenants = open_tenants(open_settings())

    async def work() -> Any:
        try:
            with pytest.raises(ValueError, match="at most 56"):
                await tenants.create("a" * 57)
            return await tenants.get("a" * 57)
        finally:
            await tenants.close()

    assert asyncio.run(work()) is None


@pytest.mark.parametrize(
    ("values", "category"), [("'x', 'x'", "check"), ("'user', NULL", "check"), ("'user', 'active'", "unique")]
)
def test_an_errors_trace_quotes_no_row(on_schema: Callable[..., Any], values: str, category: str) -> None:
    """What is logged of a refused row tells the constraint, and none of the values beside it."""
    text = (
        "INSERT INTO users (id, email, name, password_hash, created_at, updated_at, roles, status) "
        "VALUES ('1', 'a@example.test', 'Ann', 'secret-hash', '', '', "
    )

    async def work(database: PostgresDatabase) -> str:
        await database.run(text + "'user', 'active') ON CONFLICT DO NOTHING")
        with pytest.raises(DatabaseError) as failed:
            await database.run(f"{text}{values})")
        assert failed.value.category == category
        return "".join(traceback.format_exception(failed.value))

    told = on_schema(work)
    assert "users" in told
    assert [value for value in ("secret-hash", "a@example.test") if value in told] == []
