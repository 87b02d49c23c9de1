"""The four verbs every engine answers: query, query_one, run, transaction.

Statements are plain SQL with `?` for parameters. A transaction is a generator that yields statements and receives
their rows, so one body runs on any engine, in one thread hop, and can be run again after a serialization failure.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

T = TypeVar("T")
Row = tuple[Any, ...]


class Statement(NamedTuple):
    """One SQL text and its parameters, in order."""

    sql: str
    parameters: tuple[Any, ...] = ()


Transaction = Generator[Statement, list[Row], T]
Body = Callable[[], Transaction[T]]


class DatabaseError(Exception):
    """A statement was refused: `category` says why, the text stays inside the server."""

    def __init__(self, category: Literal["unique", "foreign", "check", "unavailable"], text: str) -> None:
        super().__init__(text)
        self.category = category


class Database(Protocol):
    """One tenant's rows."""

    async def query(self, sql: str, *parameters: object) -> list[Row]:
        """Return all rows of a read."""
        ...

    async def query_one(self, sql: str, *parameters: object) -> Row | None:
        """Return the first row of a read, or None."""
        ...

    async def run(self, sql: str, *parameters: object) -> list[Row]:
        """Execute one write, committed when this returns; rows are those of its RETURNING clause."""
        ...

    async def transaction(self, body: Body[T]) -> T:
        """Run a body: all of it is committed when this returns, none of it when it raises."""
        ...
