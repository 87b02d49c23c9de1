"""Tenants on SQLite: a file each, under one folder."""

from __future__ import annotations

import contextlib
import sqlite3
from functools import partial
from typing import TYPE_CHECKING

from reference_impl.data import backup, migrations, sqlite_restore
from reference_impl.data.database import DatabaseError
from reference_impl.data.names import tenant_name
from reference_impl.data.sqlite import SqliteDatabase
from reference_impl.data.sqlite_backup import copy
from reference_impl.data.sqlite_file import alone, connect, translated
from reference_impl.settings.reader import TENANT_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reference_impl.data.migrations import Migration
    from reference_impl.settings.storage import Storage


class SqliteTenants:
    """The databases under one data folder."""

    def __init__(self, storage: Storage, pragmas: tuple[str, ...] = ()) -> None:
        self._pragmas = pragmas
        self._folder = storage.data / "tenants"
        self._synchronous = storage.sqlite_synchronous
        self._wait_s = storage.pool_wait_s
        self._files = migrations.read(engine="sqlite")
        self._open: dict[str, SqliteDatabase] = {}

    async def names(self) -> list[str]:
        """Return the tenants that exist, sorted."""
        return sorted(path.stem for path in self._folder.glob("*.sqlite"))

    async def create(self, name: str) -> bool:
        """Make a tenant with all migrations applied; False when it was there; ValueError when the name is refused."""
        path = self._path(tenant_name(name))
        self._folder.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        self._migrate(path, create=True)
        return new

    async def migrate(self) -> dict[str, list[str]]:
        """Bring every tenant up to date and return what was applied to each."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return {name: self._migrate(self._path(name)) for name in await self.names()}

    async def undo(self, steps: int) -> dict[str, list[str]]:
        """Undo each tenant's newest migrations and return what was undone."""
        undone = {}
        for name in await self.names():
            with _opened(self._path(name), self._synchronous) as connection:
                undone[name] = undo(connection, self._files, steps)
        return undone

    async def get(self, name: str) -> SqliteDatabase | None:
        """Return a tenant's database, or None when there is no such tenant, or it is not whole yet."""
        if name not in self._open and TENANT_NAME.fullmatch(name) and self._path(name).is_file():
            with _named(self._path(name)):
                opened = SqliteDatabase(self._path(name), self._synchronous, self._wait_s, self._pragmas)
            try:
                if await self._whole(opened) and name not in self._open:
                    self._open[name] = opened
            finally:
                if self._open.get(name) is not opened:
                    await opened.close()  # another request was faster, or another process is making it
        return self._open.get(name)

    async def back_up(self, folder: Path) -> list[str]:
        """Write every tenant into a new folder and return their names."""
        backup.begin(folder)
        names = backup.some(await self.names())
        for name in names:
            copy(self._path(name), folder / f"{name}.sqlite", self._synchronous)
        backup.finish(folder, "sqlite", names)
        return names

    async def restore(self, folder: Path) -> list[str]:
        """Make the tenants of a back-up and return their names."""
        with sqlite_restore.locked(self._folder):
            placed = sqlite_restore.placed(folder, self._folder)
            present = [name for name in await self.names() if self._path(name).name not in placed]
            names = backup.listed(folder, "sqlite", present)
            missing = sorted({self._path(name).name for name in names} - placed)
            sqlite_restore.put_back(folder, self._folder, missing, self._files, self._synchronous)
        return names

    async def healthy(self) -> bool:
        """Say whether every open tenant's file is there and answers."""
        if not self._folder.is_dir():
            return False
        for database in self._open.values():
            if not database.path.is_file() or await database.query_one(migrations.COUNT) is None:
                return False
        return True

    async def close(self) -> None:
        """Close every database; queued writes are finished first."""
        for database in self._open.values():
            await database.close()
        self._open.clear()

    async def _whole(self, database: SqliteDatabase) -> bool:
        try:
            row = await database.query_one(migrations.COUNT)
        except DatabaseError:  # another process is making it
            return False
        return row is not None and row[0] >= len(self._files)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.sqlite"

    def _migrate(self, path: Path, *, create: bool = False) -> list[str]:
        with _opened(path, self._synchronous, create=create) as connection:
            return migrate(connection, self._files)


@contextlib.contextmanager
def _opened(path: Path, synchronous: str, *, create: bool = False) -> Iterator[sqlite3.Connection]:
    """Open a file for a while; a DatabaseError of it names it."""
    with _named(path), contextlib.closing(connect(path, synchronous, create=create)) as connection:
        yield connection


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn what SQLite says of a file into a DatabaseError that names it."""
    try:
        yield
    except sqlite3.Error as error:
        raise DatabaseError(translated(error).category, f"{path}: {error}") from error


def migrate(connection: sqlite3.Connection, files: list[Migration]) -> list[str]:
    """Bring a database up to date and return the names applied; MigrationError when it cannot be."""
    connection.execute(migrations.TABLE)
    missing = files[alone(connection, partial(migrations.applied, files)) :]
    return [file.name for file in missing if alone(connection, partial(migrations.up, file, files))]


def undo(connection: sqlite3.Connection, files: list[Migration], steps: int) -> list[str]:
    """Undo the newest migrations and return their names, the newest first."""
    names = [alone(connection, partial(migrations.down, files)) for _ in range(steps)]
    return [name for name in names if name]
