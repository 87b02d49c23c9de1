"""Databases whose commits are held until they are let go."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from reference_impl.data.database import Statement, Transaction
from reference_impl.data.postgres import Bounds, PostgresDatabase
from reference_impl.data.sqlite import SqliteDatabase
from reference_impl.data.sqlite_file import connect

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from reference_impl.settings import Settings

ADD = "INSERT INTO kept (name) VALUES (?)"
ALL = "SELECT name FROM kept ORDER BY name"
# A row whose name is `bad` is refused when it is committed, and no sooner.
SQLITE = (
    "CREATE TABLE good (name TEXT PRIMARY KEY)",
    "INSERT INTO good (name) VALUES ('one'), ('two')",
    "CREATE TABLE kept (name TEXT REFERENCES good (name) DEFERRABLE INITIALLY DEFERRED)",
)
POSTGRES = """
CREATE TABLE kept (name TEXT);
CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7);
  IF NEW.name = 'bad' THEN RAISE EXCEPTION 'refused'; END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER kept_slowly AFTER INSERT ON kept
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slowly();
"""
WAITING = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def adding(name: str) -> Transaction[str]:
    """Add one row."""
    yield Statement(ADD, (name,))
    return name


class Hold(SqliteDatabase):
    """SQLite whose writer stops before each COMMIT until it is let go."""

    def __init__(self, path: Path) -> None:
        self.committing, self.let_go = threading.Event(), threading.Event()
        super().__init__(path, "NORMAL", wait_s=5.0)

    def _connect_writer(self) -> sqlite3.Connection:
        connection = super()._connect_writer()
        connection.set_trace_callback(self._stop)
        return connection

    def _stop(self, sql: str) -> None:
        if sql == "COMMIT":
            self.committing.set()
            self.let_go.wait(10)


Scene = tuple[Any, "Callable[[], Awaitable[None]]", "Callable[[], Awaitable[None]]"]


async def sqlite_scene(path: Path) -> Scene:
    """A database whose commits are held, a wait until one is, and how they are let go."""
    opened = connect(path, "NORMAL", create=True)
    for text in SQLITE:
        opened.execute(text)
    opened.close()
    database = Hold(path)
    loop = asyncio.get_running_loop()

    async def held() -> None:
        assert await loop.run_in_executor(None, database.committing.wait, 10)

    async def go() -> None:
        database.let_go.set()

    return database, held, go


async def postgres_scene(url: str) -> Scene:
    """The same on PostgreSQL, where a commit waits for a lock."""
    rival = await asyncpg.connect(url)
    await rival.execute("DROP SCHEMA IF EXISTS tenant_held CASCADE; CREATE SCHEMA tenant_held")
    await rival.execute("SET search_path TO tenant_held")
    await rival.execute(POSTGRES)
    await rival.execute("SELECT pg_advisory_lock(7)")

    async def held() -> None:
        async with asyncio.timeout(10):
            while not await rival.fetch(WAITING):  # noqa: ASYNC110 - a lock of the server sets no event here
                await asyncio.sleep(0.005)

    async def go() -> None:
        await rival.close()  # and with it its lock

    return PostgresDatabase(url, "tenant_held", Bounds(3, 10.0, 10.0)), held, go


@pytest.fixture
def on_scene(open_settings: Callable[..., Settings], tmp_path: Path, engine: str) -> Callable[..., Any]:
    """Runs a coroutine function on a database whose commits are held."""

    def run(work: Callable[..., Awaitable[Any]]) -> Any:
        url = open_settings().storage.database_url

        async def whole() -> Any:
            database, held, go = await (
                sqlite_scene(tmp_path / "a.sqlite") if engine == "sqlite" else postgres_scene(url)
            )
            try:
                return await work(database, held, go)
            finally:
                await go()
                await database.close()

        return asyncio.run(whole())

    return run
