"""The verbs every engine answers: query, query_one, run, transaction, read.

Statements are plain SQL with `?` for parameters. A body is a generator that yields statements and receives their rows,
so it runs on any engine, in one thread hop, and can be run again after a serialization failure: it does nothing
besides yielding statements.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

T = TypeVar("T")
Row = tuple[Any, ...]
Category = Literal["unique", "foreign", "check", "unavailable", "timeout", "conflict"]


class Statement(NamedTuple):
    """One SQL text and its parameters, in order; `lock` keeps the rows that it selects from other transactions."""

    sql: str
    parameters: tuple[Any, ...] = ()
    lock: bool = False


Transaction = Generator[Statement, list[Row], T]
Body = Callable[[], Transaction[T]]


class DatabaseError(Exception):
    """A statement failed: `category` says why, the text stays inside the server.

    unique, foreign, check: the rows refuse it. timeout: it took too long. conflict: it lost against other transactions
    as often as it was tried. unavailable: nobody answers, or no connection is free. `unknown`: the commit was on its
    way, so that all of it may be kept or none.
    """

    def __init__(self, category: Category, text: str, *, unknown: bool = False) -> None:
        super().__init__(text)
        self.category: Category = category
        self.unknown = unknown


class Database(Protocol):
    """One tenant's rows."""

    async def query(self, sql: str, *parameters: object) -> list[Row]:
        """Return all rows of a read."""
        ...

    async def query_one(self, sql: str, *parameters: object) -> Row | None:
        """Return the first row of a read, or None."""
        ...

    async def run(self, sql: str, *parameters: object) -> list[Row]:
        """Execute one write, committed when this returns; rows are those of its RETURNING clause.

        Who is cancelled while it is sent is cancelled when nothing of it is kept, and else goes on with what happened.
        """
        ...

    async def transaction(self, body: Body[T], *, locking: bool = False) -> T:
        """Run a body: all of it is committed when this returns, none of it when it raises.

        It runs as if alone, and again when it lost against another. With `locking` it must select every row it decides
        on with `lock`, in sorted order of ids; then it waits for others where it would have lost. Who is cancelled
        while it is committed goes on with what happened; before that, nothing of it is kept.
        """
        ...

    async def read(self, body: Body[T], *, small: bool = False) -> T:
        """Run a body that only reads, all of it on one state of the database; `small` is a few rows by key."""
        ...


@functools.lru_cache(maxsize=128)
def marks(count: int) -> str:
    """Return `?` for each of `count` parameters, between commas."""
    return ", ".join("?" * count)


async def driven(body: Body[T], execute: Callable[[Statement], Awaitable[list[Row]]]) -> T:
    """Drive a body to its end: execute what it yields, hand it the rows or the DatabaseError it is to judge."""
    running = body()
    try:
        statement = next(running)
        while True:
            try:
                rows = await execute(statement)
            except DatabaseError as error:
                statement = running.throw(error)
            else:
                statement = running.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        running.close()


def at_once(driving: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits to its end, in this thread: an engine that answers at once needs no loop."""
    try:
        driving.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    driving.close()
    raise RuntimeError("It waited: only what answers at once may be run so.")


def savepoint(body: Transaction[T]) -> Transaction[T]:
    """Run a part of a body so that its failure undoes that part only, and is raised for the body to judge."""
    yield Statement("SAVEPOINT part")
    try:
        result = yield from body
    except Exception:
        yield Statement("ROLLBACK TO SAVEPOINT part")
        yield Statement("RELEASE SAVEPOINT part")
        raise
    yield Statement("RELEASE SAVEPOINT part")
    return result
