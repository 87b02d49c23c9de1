"""Migrations on both engines: a way back for each, and one process at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from reference_impl.data import migrations
from reference_impl.data.migrations import MigrationError
from reference_impl.data.tenants import open_tenants

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from reference_impl.data.tenants import Tenants
    from reference_impl.settings import Settings

TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1",
}


def finished(settings: Settings, *works: Callable[[Tenants], Coroutine[Any, Any, Any]]) -> list[Any]:
    """Runs each at once on tenants of its own, as processes would."""

    async def one(work: Callable[[Tenants], Coroutine[Any, Any, Any]]) -> Any:
        tenants = open_tenants(settings)
        try:
            return await work(tenants)
        finally:
            await tenants.close()

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*[one(work) for work in works])

    return asyncio.run(all_of_them())


def test_every_migration_leads_back(open_settings: Callable[..., Settings], engine: str) -> None:
    """All of them undone leave no table but their list; applied again they leave what was there."""
    settings = open_settings()

    async def work(tenants: Tenants) -> list[Any]:
        await tenants.create("back")
        database = await tenants.get("back")
        assert database is not None
        seen: list[Any] = []
        for changed in (tenants.migrate(), tenants.undo(99), tenants.migrate()):
            seen.append((await changed)["back"])
            seen.append([row[0] for row in await database.query(TABLES[engine])])
        return seen

    names = [migration.name for migration in migrations.read(engine="sqlite" if engine == "sqlite" else "postgresql")]
    none, before, undone, left, applied, after = finished(settings, work)[0]
    assert (none, undone, applied) == ([], names[::-1], names)
    assert left == ["schema_migrations"]
    assert before == after


def test_a_tenant_that_is_undone_is_no_tenant(open_settings: Callable[..., Settings]) -> None:
    """A server that starts on half a schema serves none of it."""

    async def work(tenants: Tenants) -> bool:
        await tenants.create("half")
        await tenants.undo(1)
        return await tenants.get("half") is None

    settings = open_settings()
    assert finished(settings, work) == [True]
    assert finished(settings, lambda tenants: tenants.migrate())[0]["half"] != []


def test_two_that_migrate_at_once_apply_each_once(open_settings: Callable[..., Settings]) -> None:
    """Processes that make one tenant together make it once, and none of them fails."""
    settings = open_settings()
    made = finished(settings, *[lambda tenants: tenants.create("twice")] * 4)
    assert sorted(made) == [False, False, False, True]


@pytest.mark.parametrize(
    ("files", "refusal"),
    [
        ({"0001_a.sql": "SELECT 1;"}, "way back"),
        ({"0001_a.sql": "-- No way back: why\nSELECT 1;", "0001_a.down.sql": "SELECT 1;"}, "not both"),
        ({"0001_a.sql": "SELECT 1;", "0001_b.sql": "SELECT 1;"}, "one number"),
        ({"0001_a.sql": "SELECT 1;", "0001_a.sqlite.sql": "SELECT 1;"}, "one number"),
        ({"0001_a.down.sql": "SELECT 1;"}, "leads back from nothing"),
        ({"0001_a.postgresql.sql": "-- No way back: why\n", "0002_a.sql": "-- No way back: why\n"}, "without a gap"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path: Path, files: dict[str, str], refusal: str) -> None:
    """The message names the rule that is broken."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(MigrationError, match=refusal):
        migrations.read(tmp_path)


def test_what_has_no_way_back_is_not_undone(tmp_path: Path) -> None:
    """It is refused with the way out."""
    (tmp_path / "0001_a.sql").write_text("-- No way back: rows are dropped.\nSELECT 1;")
    running = migrations.down(migrations.read(tmp_path))
    next(running)
    with pytest.raises(MigrationError, match="restore a back-up"):
        running.send([(1, "0001_a.sql", migrations.read(tmp_path)[0].checksum)])
