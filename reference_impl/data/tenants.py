"""Tenants: one SQLite file each, made by a command and never by a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_impl.data import migrations
from reference_impl.data.sqlite import SqliteDatabase, connect
from reference_impl.settings.reader import TENANT_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from reference_impl.settings import Settings


class Tenants:
    """The databases under one data folder, opened when first asked for."""

    def __init__(self, settings: Settings, pragmas: tuple[str, ...] = ()) -> None:
        self._pragmas = pragmas
        self._folder = settings.storage.data / "tenants"
        self._synchronous = settings.storage.sqlite_synchronous
        self._open: dict[str, SqliteDatabase] = {}

    def names(self) -> list[str]:
        """Return the tenants that exist, sorted."""
        return sorted(path.stem for path in self._folder.glob("*.sqlite"))

    def create(self, name: str) -> bool:
        """Make a tenant with all migrations applied; False when it was there; ValueError when the name is refused."""
        if not TENANT_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no tenant's name: use 1 to 63 of a-z, 0-9 and -, no - at an end.")
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(name)
        new = not path.exists()
        self._migrate(path, create=True)
        return new

    def migrate(self) -> dict[str, list[str]]:
        """Bring every tenant up to date and return what was applied to each; MigrationError when one cannot be."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return {name: self._migrate(self._path(name)) for name in self.names()}

    def get(self, name: str) -> SqliteDatabase | None:
        """Return a tenant's database, or None when there is no such tenant."""
        database = self._open.get(name)
        if database is None and TENANT_NAME.fullmatch(name) and self._path(name).is_file():
            database = self._open[name] = SqliteDatabase(self._path(name), self._synchronous, self._pragmas)
        return database

    async def healthy(self) -> bool:
        """Say whether every open tenant's file is there and answers."""
        if not self._folder.is_dir():
            return False
        for database in self._open.values():
            if not database.path.is_file() or await database.query_one("SELECT version FROM schema_migrations") is None:
                return False
        return True

    def close(self) -> None:
        """Close every database; queued writes are finished first."""
        for database in self._open.values():
            database.close()
        self._open.clear()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.sqlite"

    def _migrate(self, path: Path, *, create: bool = False) -> list[str]:
        connection = connect(path, self._synchronous, create=create)
        try:
            return migrations.apply(connection, migrations.read())
        finally:
            connection.close()
