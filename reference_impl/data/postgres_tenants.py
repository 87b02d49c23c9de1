"""Tenants on PostgreSQL: a schema each, in one database."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from reference_impl.data import backup, migrations
from reference_impl.data.database import Statement, Transaction
from reference_impl.data.names import tenant_name
from reference_impl.data.postgres import Bounds, PostgresDatabase, quoted
from reference_impl.data.postgres_backup import copy_in, copy_out
from reference_impl.data.postgres_pool import Budget
from reference_impl.settings.reader import TENANT_NAME

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from reference_impl.settings.storage import Storage

T = TypeVar("T")
_PREFIX = "tenant_"
# PostgreSQL cuts longer identifiers, so that two tenants would share one schema.
_LONGEST = 63 - len(_PREFIX)
_NAMES = r"SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tenant\_%' ESCAPE '\'"
_SCHEMA = "SELECT 1 FROM pg_namespace WHERE nspname = ?"
_MIGRATED = "SELECT 1 FROM pg_tables WHERE schemaname = ? AND tablename = 'schema_migrations'"
# Migrations of one tenant run one after the other, whoever starts them.
_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))"
# A question that a person or an orchestrator waits for.
_ASKED_S = 2.0
_MIGRATION_S = 600.0


class PostgresTenants:
    """The schemas of one database."""

    def __init__(self, storage: Storage) -> None:
        self._url = storage.database_url
        self._bounds = Bounds(storage.pool_size, storage.pool_wait_s, storage.command_timeout_s)
        self._budget = Budget(storage.database_connections)
        self._files = migrations.read(engine="postgresql")
        asked = Bounds(2, min(_ASKED_S, storage.pool_wait_s), min(_ASKED_S, storage.command_timeout_s))
        self._catalogue = PostgresDatabase(self._url, "pg_catalog", asked)
        self._open: dict[str, PostgresDatabase] = {}

    async def names(self) -> list[str]:
        """Return the tenants that exist, sorted."""
        return sorted(str(row[0]).removeprefix(_PREFIX) for row in await self._catalogue.query(_NAMES))

    async def create(self, name: str) -> bool:
        """Make a tenant with all migrations applied; False when it was there; ValueError when the name is refused."""
        if len(tenant_name(name)) > _LONGEST:
            raise ValueError(f"{name!r} is too long: on PostgreSQL a tenant's name has at most {_LONGEST} characters.")

        async def work(database: PostgresDatabase) -> bool:
            new = await database.transaction(partial(_prepare, database.schema), locking=True)
            await self._migrate(database)
            return new

        return await self._patiently(name, work)

    async def migrate(self) -> dict[str, list[str]]:
        """Bring every tenant up to date and return what was applied to each."""
        return {name: await self._patiently(name, self._migrate) for name in await self.names()}

    async def undo(self, steps: int) -> dict[str, list[str]]:
        """Undo each tenant's newest migrations and return what was undone."""

        async def work(database: PostgresDatabase) -> list[str]:
            body = partial(migrations.down, self._files, _lock(database.schema))
            names = [await database.transaction(body, locking=True) for _ in range(steps)]
            return [name for name in names if name]

        return {name: await self._patiently(name, work) for name in await self.names()}

    async def get(self, name: str) -> PostgresDatabase | None:
        """Return a tenant's database, or None when there is no such tenant, or it is not whole yet."""
        database = self._open.get(name)
        if database is not None or len(name) > _LONGEST or not TENANT_NAME.fullmatch(name):
            return database
        if await self._catalogue.query_one(_MIGRATED, _PREFIX + name) is None:
            return None
        opened = PostgresDatabase(self._url, _PREFIX + name, self._bounds, self._budget)
        try:
            applied = await opened.query_one(migrations.COUNT)
            if name not in self._open and applied is not None and applied[0] >= len(self._files):
                self._open[name] = opened
        finally:
            if self._open.get(name) is not opened:
                await opened.close()  # another request was faster, or another process is making it, or it failed
        return self._open.get(name)

    async def back_up(self, folder: Path) -> list[str]:
        """Write every tenant into a new folder and return their names."""
        backup.begin(folder)
        names = backup.some(await self.names())
        for name in names:
            backup.begin(folder / name)
            await self._patiently(name, partial(self._back_up, folder / name))
        backup.finish(folder, "postgresql", names)
        return names

    async def restore(self, folder: Path) -> list[str]:
        """Make the tenants of a back-up and return their names."""
        names = backup.listed(folder, "postgresql", await self.names())
        schemas = {_PREFIX + name: folder / name for name in names}

        async def work(database: PostgresDatabase) -> None:
            await database.lend(partial(copy_in, schemas=schemas, files=self._files))

        if names:
            await self._patiently(names[0], work)
        return names

    async def _back_up(self, folder: Path, database: PostgresDatabase) -> None:
        await database.lend(partial(copy_out, folder=folder))

    async def healthy(self) -> bool:
        """Say whether the server answers."""
        return await self._catalogue.query_one("SELECT 1") is not None

    async def close(self) -> None:
        """Close every connection; what runs is finished first."""
        await asyncio.gather(*[database.close() for database in (*self._open.values(), self._catalogue)])
        self._open.clear()

    async def _migrate(self, database: PostgresDatabase) -> list[str]:
        lock = _lock(database.schema)
        done = await database.transaction(partial(migrations.applied, self._files, lock), locking=True)
        return [
            file.name
            for file in self._files[done:]
            if await database.transaction(partial(migrations.up, file, self._files, lock), locking=True)
        ]

    async def _patiently(self, name: str, work: Callable[[PostgresDatabase], Awaitable[T]]) -> T:
        """Do what may take long on a connection of its own."""
        database = PostgresDatabase(self._url, _PREFIX + name, Bounds(1, self._bounds.wait_s, _MIGRATION_S))
        try:
            return await work(database)
        finally:
            await database.close()


def _lock(schema: str) -> Statement:
    return Statement(_ALONE, (schema,))


def _prepare(schema: str) -> Transaction[bool]:
    """Make the schema with its list of migrations; False when it was there."""
    yield _lock(schema)
    new = not (yield Statement(_SCHEMA, (schema,)))
    if new:
        yield Statement(f"CREATE SCHEMA {quoted(schema)}")
    yield Statement(migrations.TABLE)
    return new
