"""Tenants: one database each, made by a command and never by a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reference_impl.data.sqlite_tenants import SqliteTenants

if TYPE_CHECKING:
    from pathlib import Path

    from reference_impl.data.database import Database
    from reference_impl.settings import Settings


class Tenants(Protocol):
    """The tenants of one installation, their databases opened when first asked for."""

    async def names(self) -> list[str]:
        """Return the tenants that exist, sorted."""
        ...

    async def create(self, name: str) -> bool:
        """Make a tenant with all migrations applied; False when it was there; ValueError when the name is refused."""
        ...

    async def migrate(self) -> dict[str, list[str]]:
        """Bring every tenant up to date and return what was applied to each; MigrationError when one cannot be."""
        ...

    async def undo(self, steps: int) -> dict[str, list[str]]:
        """Undo each tenant's newest migrations and return what was undone; MigrationError when one has no way back."""
        ...

    async def get(self, name: str) -> Database | None:
        """Return a tenant's database, or None when there is no such tenant, or it is not whole yet."""
        ...

    async def back_up(self, folder: Path) -> list[str]:
        """Write every tenant into a new folder and return their names; BackupError when it is not empty."""
        ...

    async def restore(self, folder: Path) -> list[str]:
        """Make the tenants of a back-up and return their names; BackupError when they exist or it is not whole."""
        ...

    async def healthy(self) -> bool:
        """Say whether the databases are there and answer."""
        ...

    async def close(self) -> None:
        """Close every database; what was begun is finished first."""
        ...


def open_tenants(settings: Settings, pragmas: tuple[str, ...] = ()) -> Tenants:
    """Return the tenants of the engine that the settings name; `pragmas` are SQLite's alone."""
    if not settings.storage.database_url:
        return SqliteTenants(settings.storage, pragmas)
    from reference_impl.data.postgres_tenants import PostgresTenants  # noqa: PLC0415 - SQLite does without its client

    return PostgresTenants(settings.storage)
