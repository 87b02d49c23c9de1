"""One connection to a SQLite file: how it is opened, how a body is driven on it, and what its errors mean."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, TypeVar

from reference_impl.data.database import Body, DatabaseError, Row, Statement, at_once, driven

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")
FAILURES = (sqlite3.Error, OverflowError)


class GoneError(Exception):
    """The caller has gone; no body is told, as it has nothing to judge."""


def connect(path: Path, synchronous: str, *, create: bool = False) -> sqlite3.Connection:
    """Open a file for use by one thread at a time; it must exist unless `create`."""
    mode = "rwc" if create else "rw"
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=5.0
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA temp_store=MEMORY")  # what a savepoint may have to undo needs no file of its own
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def alone(connection: sqlite3.Connection, body: Body[T]) -> T:
    """Run a body in a transaction of its own: all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = step(connection, body)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return result


def observed(connection: sqlite3.Connection, body: Body[T], cancelled: Callable[[], bool] = bool) -> T:
    """Run a body that only reads on one snapshot."""
    try:
        connection.execute("BEGIN")
        try:
            return step(connection, body, cancelled)
        finally:
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise translated(error) from error


def step(connection: sqlite3.Connection, body: Body[T], cancelled: Callable[[], bool] = bool) -> T:
    """Drive a body to its end on one connection."""

    async def execute(statement: Statement) -> list[Row]:
        if cancelled():
            raise GoneError
        try:
            return connection.execute(statement.sql, statement.parameters).fetchall()
        except FAILURES as error:
            raise translated(error) from error

    return at_once(driven(body, execute))


def translated(error: Exception) -> DatabaseError:
    """Return the category of a SQLite error."""
    if isinstance(error, OverflowError):  # an integer of more than 64 bits
        return DatabaseError("check", str(error))
    name = getattr(error, "sqlite_errorname", "")
    if name in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}:
        return DatabaseError("unique", str(error))
    if name == "SQLITE_CONSTRAINT_FOREIGNKEY":
        return DatabaseError("foreign", str(error))
    if name.startswith(("SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_TOOBIG")):
        return DatabaseError("check", str(error))
    return DatabaseError("unavailable", str(error))
