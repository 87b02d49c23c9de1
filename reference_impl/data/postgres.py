"""PostgreSQL behind the verbs: a schema a tenant, a bounded pool of connections, every wait with an end."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg  # type: ignore[import-untyped]  # the package carries no types

from reference_impl.data.database import Body, Category, DatabaseError, Row, Statement, driven
from reference_impl.data.dialect import spelled
from reference_impl.data.postgres_pool import Budget, Pool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

T = TypeVar("T")
RETRIES = 3
_PAUSE_S = 0.005
_SERIALIZABLE = "BEGIN ISOLATION LEVEL SERIALIZABLE"
_LOCKING = "BEGIN ISOLATION LEVEL READ COMMITTED"
READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_STATEMENTS = 512
_CHECK_MS = "500"
# SQLSTATE, or its first two characters, which are its class (PostgreSQL's manual, appendix A).
_CATEGORIES: dict[str, Category] = {
    "23505": "unique",
    "23503": "foreign",
    "23": "check",
    "22": "check",
    "40001": "conflict",
    "40P01": "conflict",
    "57014": "timeout",
    "55P03": "timeout",
    # A statement was prepared before a migration; the next try prepares it anew.
    "0A000": "conflict",
}
_ENDED = ("08", "57P")
_LOST = {"timeout", "unavailable"}
_REFUSED = {"unique", "foreign", "check"}
# Of the connection; the last is what asyncpg says of one that the server ended between two statements.
_BROKEN = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_FAILURES = (asyncpg.PostgresError, *_BROKEN)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many connections of a schema, how long one may be waited for, how long a statement may take."""

    connections: int
    wait_s: float
    command_timeout_s: float


def session(url: str, schema: str, bounds: Bounds) -> dict[str, Any]:
    """Return what a connection to a schema is opened with: no wait without an end, on either side of it."""
    timeout_ms = str(max(1, round(bounds.command_timeout_s * 1000)))
    return {
        "dsn": url,
        "statement_cache_size": _STATEMENTS,
        "timeout": bounds.wait_s,
        "command_timeout": bounds.command_timeout_s,
        "server_settings": {
            "search_path": quoted(schema),
            "statement_timeout": timeout_ms,
            "idle_in_transaction_session_timeout": timeout_ms,
            # A statement that waits for a lock keeps others' until it is told that its client is gone.
            "client_connection_check_interval": _CHECK_MS,
            "jit": "off",
            "timezone": "UTC",
        },
    }


class PostgresDatabase:
    """One schema. Connections are made when they are needed and again when they broke, within a budget if told."""

    def __init__(self, url: str, schema: str, bounds: Bounds, budget: Budget | None = None) -> None:
        self.schema = schema
        self._bounds = bounds
        self._options = session(url, schema, bounds)
        self._budget = budget or Budget(bounds.connections)
        self._pool = Pool(self._options, bounds.connections, bounds.wait_s, self._budget)
        self._stops: dict[Any, asyncio.Task[None]] = {}
        self._again = asyncio.Lock()

    async def query(self, sql: str, *parameters: object) -> list[Row]:
        """Return all rows of a read."""
        return await self.lend(lambda connection: _fetch(connection, Statement(sql, parameters)))

    async def query_one(self, sql: str, *parameters: object) -> Row | None:
        """Return the first row of a read, or None."""
        record = await self.lend(lambda connection: connection.fetchrow(spelled(sql), *parameters))
        return None if record is None else tuple(record)

    async def run(self, sql: str, *parameters: object) -> list[Row]:
        """Execute one write, committed when this returns."""
        statement = Statement(sql, parameters)
        return await self.lend(
            lambda connection: _whole(
                _fetch(connection, statement), partial(self._left, connection, connection.get_server_pid())
            )
        )

    async def transaction(self, body: Body[T], *, locking: bool = False) -> T:
        """Run a body: all or nothing, and again after a serialization failure or a deadlock."""
        begin = _LOCKING if locking else _SERIALIZABLE
        for attempt in range(RETRIES + 1):
            if attempt:
                await asyncio.sleep(_PAUSE_S * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311 - parts losers, no secret
            try:
                # Who lost once does not race the other losers too.
                async with self._again if attempt else contextlib.nullcontext():
                    return await self.lend(lambda connection: _drive(connection, begin, body))
            except DatabaseError as error:
                if error.category != "conflict" or attempt == RETRIES:
                    raise
        raise AssertionError("the last try returns or raises")

    async def read(self, body: Body[T], *, small: bool = False) -> T:  # noqa: ARG002 - every read is a round trip here
        """Run a body that only reads, on one snapshot."""
        return await self.lend(lambda connection: _drive(connection, READING, body))

    async def close(self) -> None:
        """Close every connection once it is free; those that do not come back in time are cut."""
        await self._pool.close()
        stops = [*self._stops.values()]
        for stop in stops:
            stop.cancel()
        await asyncio.gather(*stops, return_exceptions=True)

    async def lend(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Give a connection to `work`; what it leaves open is undone, and one that may be broken is closed."""
        connection = await self._acquire()
        spent = False
        try:
            return await self._undone(connection, work)
        except _FAILURES as error:
            spent = (failed := translated(error)).category in _LOST
            raise failed from error
        except asyncio.CancelledError:
            # A statement may still run there: it is ended, and its transaction undone, when the connection is closed.
            spent = True
            raise
        finally:
            # A stop that is under way would end what the connection runs next.
            self._pool.release(connection, spent=spent or connection in self._stops)

    def _left(self, connection: Any, pid: int, write: asyncio.Future[Any]) -> None:
        """Have a write ended that its caller has left; nobody waits for that."""
        stop = self._stops[connection] = asyncio.create_task(self._stop(pid, write))
        stop.add_done_callback(lambda _: self._stops.pop(connection))

    async def _stop(self, pid: int, write: asyncio.Future[Any]) -> None:
        """Have the server end a write; no connection need be free for it, and a process has one for all of them."""
        with contextlib.suppress(*_FAILURES):  # then the write is waited for
            async with asyncio.timeout(self._bounds.wait_s), self._budget.beside:
                if write.done():
                    return
                other = await asyncpg.connect(self._options["dsn"])
                try:
                    if not write.done():
                        await other.execute("SELECT pg_cancel_backend($1)", pid)
                    await other.close()
                finally:
                    other.terminate()

    @staticmethod
    async def _undone(connection: Any, work: Callable[[Any], Awaitable[T]]) -> T:
        try:
            return await work(connection)
        except _BROKEN:
            raise  # nothing more is asked of a connection that may be broken
        except Exception as error:
            if not _ended(error) and connection.is_in_transaction():
                await connection.execute("ROLLBACK")
            raise

    async def _acquire(self) -> Any:
        try:
            return await self._pool.acquire()
        except _FAILURES as error:
            raise DatabaseError("unavailable", f"No connection within {self._bounds.wait_s} s: {error!r}") from error


def _ended(error: Exception) -> bool:
    """Whether the connection ended with this error: classes 08 and 57P of SQLSTATE; nothing is undone on it then."""
    state = str(getattr(error, "sqlstate", None) or "")
    return state.startswith(_ENDED)


async def _fetch(connection: Any, statement: Statement) -> list[Row]:
    sql = spelled(statement.sql, lock=statement.lock)
    return [tuple(record) for record in await connection.fetch(sql, *statement.parameters)]


async def _drive(connection: Any, begin: str, body: Body[T]) -> T:
    """Drive a body to its end inside a transaction."""
    await connection.execute(begin)
    result = await stepped(connection, body)
    ending = connection.execute("COMMIT")
    if await (ending if begin is READING else _whole(ending)) != "COMMIT":
        raise RuntimeError("A body went on after a refusal: put what may be refused into a savepoint.")
    return result


async def _whole(sent: Coroutine[Any, Any, T], stop: Callable[[asyncio.Future[T]], None] | None = None) -> T:
    """Wait for what is kept once it is sent, and return it also to whoever is cancelled meanwhile.

    It is bounded by the command's time-out; what has yet to be worked or to get a lock is ended sooner by what `stop`
    begins. Who is cancelled and nothing is kept stays cancelled; where the end is not known, the error says so.
    """
    task = asyncio.ensure_future(sent)
    cancelled = False
    while True:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
            if stop is not None and not cancelled and not task.done():
                stop(task)
            cancelled = True
        except _FAILURES as error:
            if not isinstance(error, asyncpg.PostgresError) or _ended(error):
                error.unknown = True  # type: ignore[union-attr]  # for `translated`
            elif cancelled:
                raise asyncio.CancelledError from error
            raise


async def stepped(connection: Any, body: Body[T]) -> T:
    """Drive a body to its end on one connection; it is told of a refusal, and of no other failure."""

    async def execute(statement: Statement) -> list[Row]:
        try:
            return await _fetch(connection, statement)
        except asyncpg.PostgresError as error:
            if (refused := translated(error)).category not in _REFUSED:
                raise
            raise refused from error

    return await driven(body, execute)


def quoted(name: str) -> str:
    """Return an identifier between its quotes."""
    return '"' + name.replace('"', '""') + '"'


def translated(error: Exception) -> DatabaseError:
    """Return the category of a PostgreSQL error, of a connection's end and of a spent time."""
    unknown = getattr(error, "unknown", False)
    if isinstance(error, TimeoutError):
        return DatabaseError("timeout", f"A statement took too long: {error!r}", unknown=unknown)
    if isinstance(error, ValueError):  # a parameter that no value of its column's type can hold
        return DatabaseError("check", str(error))
    if isinstance(error, asyncpg.PostgresError):
        error.detail = None  # it quotes the row, a password's hash among its values, and errors are logged
    state = getattr(error, "sqlstate", None) or ""
    category = _CATEGORIES.get(state) or _CATEGORIES.get(state[:2]) or "unavailable"
    return DatabaseError(category, f"{type(error).__name__} {state}: {error}", unknown=unknown)
