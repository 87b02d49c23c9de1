"""What an operator does to an installation, called by tests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg

from reference_impl.commands import main
from reference_impl.data.tenants import open_tenants

if TYPE_CHECKING:
    import pytest

    from reference_impl.data.database import Row
    from reference_impl.settings import Settings


class Operator:
    """Runs commands on an installation's data and sees what they write, and how they ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.code: str | int | None = 0

    def __call__(self, settings: Settings, *words: str) -> str:
        """Run a command and return what a person sees."""
        self._monkeypatch.setenv("API_PROFILE", "verify")
        self._monkeypatch.setenv("API_DATA", str(settings.storage.data))
        self._monkeypatch.setenv("API_DATABASE_URL", settings.storage.database_url)
        self._capsys.readouterr()
        self.code = 0
        try:
            main(words)
        except SystemExit as ended:
            self.code = ended.code
        told = self._capsys.readouterr()
        return told.out + told.err


def asked(settings: Settings, tenant: str, *texts: str) -> list[list[Row]]:
    """What statements answer, on tenants of their own."""

    async def ask() -> list[list[Row]]:
        tenants = open_tenants(settings)
        try:
            database = await tenants.get(tenant)
            assert database is not None
            return [await database.run(text) for text in texts]
        finally:
            await tenants.close()

    return asyncio.run(ask())


def names(settings: Settings) -> list[str]:
    """The tenants that are there."""

    async def ask() -> list[str]:
        tenants = open_tenants(settings)
        try:
            return await tenants.names()
        finally:
            await tenants.close()

    return asyncio.run(ask())


def emptied(settings: Settings) -> Settings:
    """The settings, when no tenant of the tests before is left there."""

    async def drop() -> None:
        connection = await asyncpg.connect(settings.storage.database_url)
        await connection.execute("DROP SCHEMA IF EXISTS tenant_alpha, tenant_beta CASCADE")
        await connection.close()

    if settings.storage.database_url:
        asyncio.run(drop())
    return settings
