"""What an operator does beside serving: back-ups, their restoring, and letting go of what is old."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reference_impl.clock import rfc3339
from reference_impl.data.tenants import open_tenants

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from reference_impl.settings import Settings

_DAY_S = 86_400
_AT_ONCE = 1000
# A part at a time, so that writers are let in between.
_FORGET = (
    "DELETE FROM request_logs WHERE id IN "
    "(SELECT id FROM request_logs WHERE at < ? ORDER BY at, id LIMIT ?) RETURNING 1"
)


async def keep(options: Namespace, settings: Settings) -> list[str]:
    """Do what one of the commands backup, restore and retain says, and return the lines that tell of it."""
    match options.command:
        case "backup":
            return [f"written: {', '.join(await back_up(settings, options.to))}"]
        case "restore":
            return [f"restored: {', '.join(await restore(settings, options.source))}"]
        case _:
            return [f"{name}: {count} request logs deleted" for name, count in (await retain(settings)).items()]


async def back_up(settings: Settings, folder: Path) -> list[str]:
    """Write every tenant's rows into a new folder and return their names; uploaded files are not among them."""
    tenants = open_tenants(settings)
    try:
        return await tenants.back_up(folder)
    finally:
        await tenants.close()


async def restore(settings: Settings, folder: Path) -> list[str]:
    """Make the tenants of a back-up again, brought up to date, and return their names."""
    tenants = open_tenants(settings)
    try:
        names = await tenants.restore(folder)
        await tenants.migrate()
        return names
    finally:
        await tenants.close()


async def retain(settings: Settings) -> dict[str, int]:
    """Delete the request logs that are older than the settings keep, and return how many of each tenant."""
    edge = rfc3339(time.time() - settings.storage.retention_days * _DAY_S)
    tenants = open_tenants(settings)
    deleted: dict[str, int] = {}
    try:
        for name in await tenants.names():
            database = await tenants.get(name)
            deleted[name] = 0
            while database is not None and (rows := await database.run(_FORGET, edge, _AT_ONCE)):
                deleted[name] += len(rows)
        return deleted
    finally:
        await tenants.close()
