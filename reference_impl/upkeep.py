"""What an operator does beside serving: back-ups, their restoring, and letting go of what is old."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reference_impl.clock import rfc3339
from reference_impl.data.tenants import open_tenants
from reference_impl.procedures.idempotency import KEPT_S

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from reference_impl.data.database import Database
    from reference_impl.settings import Settings

NO_TENANT = "There is no tenant: make one with `tenant create`, or correct API_DATA or API_DATABASE_URL."
_DAY_S = 86_400
_AT_ONCE = 1000
# A part at a time, so that writers are let in between; tokens stand before the sessions that they name.
_FORGET = {
    "request logs": (
        "DELETE FROM request_logs WHERE id IN "
        "(SELECT id FROM request_logs WHERE at < ? ORDER BY at, id LIMIT ?) RETURNING 1"
    ),
    "refresh tokens": (
        "DELETE FROM refresh_tokens WHERE token_hash IN "
        "(SELECT token_hash FROM refresh_tokens WHERE expires_at < ? LIMIT ?) RETURNING 1"
    ),
    "sessions": ("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < ? LIMIT ?) RETURNING 1"),
    "idempotency keys": (
        "DELETE FROM idempotency_keys WHERE (user_id, operation, key) IN "
        "(SELECT user_id, operation, key FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ?) "
        "RETURNING 1"
    ),
}


async def keep(options: Namespace, settings: Settings) -> list[str]:
    """Do what one of the commands backup, restore and retain says, and return the lines that tell of it."""
    match options.command:
        case "backup":
            return [f"written: {', '.join(await back_up(settings, options.to))}"]
        case "restore":
            return [f"restored: {', '.join(await restore(settings, options.source))}"]
        case _:
            deleted = (await retain(settings)).items()
            return [f"{name}: {count} {what} deleted" for (name, what), count in deleted] or [NO_TENANT]


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


async def retain(settings: Settings) -> dict[tuple[str, str], int]:
    """Delete what is over for longer than the settings keep, and return how many of each tenant and kind.

    Idempotency keys are forgotten as soon as their replay is over; their owner's next order would do the same.
    """
    now_s = time.time()
    old = rfc3339(now_s - settings.storage.retention_days * _DAY_S)
    edges = {**dict.fromkeys(_FORGET, old), "idempotency keys": rfc3339(now_s - KEPT_S)}
    tenants = open_tenants(settings)
    try:
        return {
            (name, what): await _forget(await tenants.get(name), text, edges[what])
            for name in await tenants.names()
            for what, text in _FORGET.items()
        }
    finally:
        await tenants.close()


async def _forget(database: Database | None, text: str, edge: str) -> int:
    deleted = 0
    while database is not None and (rows := await database.run(text, edge, _AT_ONCE)):
        deleted += len(rows)
    return deleted
