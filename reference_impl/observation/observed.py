"""A database that tells how long its calls took; engines know nothing of it."""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from reference_impl.data.database import Body, Database, Row

T = TypeVar("T")
_NAME = re.compile(r"\s*(\w+)\b(?:.*?\b(?:FROM|INTO|UPDATE)\s+(\w+)|\s+(\w+))?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told: every call by its operation, slow ones by name; a span stands around writes."""

    told: Callable[[str, float], None]
    """Operation and milliseconds."""
    slow: Callable[[str, str, float], None]
    """Operation, name of the statement or body, milliseconds."""
    slow_ms: float
    span: Callable[[str], AbstractContextManager[object]] = contextlib.nullcontext


class ObservedDatabase:
    """One tenant's database under watch."""

    def __init__(self, database: Database, watch: Watch) -> None:
        self.database = database
        self._watch = watch

    async def query(self, sql: str, *parameters: object) -> list[Row]:
        """Return all rows of a read."""
        started_s = time.perf_counter()
        try:
            return await self.database.query(sql, *parameters)
        finally:
            self._over("query", sql, started_s)

    async def query_one(self, sql: str, *parameters: object) -> Row | None:
        """Return the first row of a read, or None."""
        started_s = time.perf_counter()
        try:
            return await self.database.query_one(sql, *parameters)
        finally:
            self._over("query_one", sql, started_s)

    async def run(self, sql: str, *parameters: object) -> list[Row]:
        """Execute one write."""
        started_s = time.perf_counter()
        try:
            with self._watch.span("db.run"):
                return await self.database.run(sql, *parameters)
        finally:
            self._over("run", sql, started_s)

    async def transaction(self, body: Body[T], *, locking: bool = False) -> T:
        """Run a body that writes."""
        started_s = time.perf_counter()
        try:
            with self._watch.span("db.transaction"):
                return await self.database.transaction(body, locking=locking)
        finally:
            self._over("transaction", body, started_s)

    async def read(self, body: Body[T], *, small: bool = False) -> T:
        """Run a body that only reads."""
        started_s = time.perf_counter()
        try:
            return await self.database.read(body, small=small)
        finally:
            self._over("read", body, started_s)

    def _over(self, operation: str, work: str | Body[T], started_s: float) -> None:
        duration_ms = (time.perf_counter() - started_s) * 1000
        self._watch.told(operation, duration_ms)
        if duration_ms > self._watch.slow_ms:
            self._watch.slow(operation, name_of(work), duration_ms)


def name_of(work: str | Body[T]) -> str:
    """Return a short name without any value: verb and first table of a statement, or the body's function."""
    if isinstance(work, str):
        match = _NAME.match(work)
        return " ".join(part for part in match.groups() if part) if match else "statement"
    function = work.func if isinstance(work, partial) else work
    return str(getattr(function, "__qualname__", type(function).__name__))
