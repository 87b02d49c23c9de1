"""What an operator does beside serving: back-ups, their restoring, and letting go of what is old."""

from __future__ import annotations

import time
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING

from reference_impl.clock import rfc3339
from reference_impl.data.database import DatabaseError, Statement, Transaction
from reference_impl.data.tenants import open_tenants
from reference_impl.errors import ApiError
from reference_impl.objects.store import address, open_objects
from reference_impl.procedures.idempotency import KEPT_S

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import AsyncIterator
    from pathlib import Path

    from reference_impl.data.database import Database
    from reference_impl.objects.store import Objects
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
    # Ids of messages are in order of time.
    "room messages": (
        "DELETE FROM room_messages WHERE id IN "
        "(SELECT id FROM room_messages WHERE created_at < ? ORDER BY id LIMIT ?) RETURNING 1"
    ),
}
_NAMED = "SELECT url, thumbnail_url FROM product_images WHERE url LIKE '/files/%' OR thumbnail_url LIKE '/files/%'"
# A file comes before the row that names it, by no more than a request may take.
_UPLOADED_S = 3600
_EVENTS = "events"
# The newest stays, whatever its age: it says how far the ids have come.
_OLDEST = "SELECT id, at FROM events WHERE id < (SELECT max(id) FROM events) ORDER BY id LIMIT ?"
_LET_GO = "DELETE FROM events WHERE id <= ?"
_FORGET_MARK = "DELETE FROM forgotten_events"
_MARK = "INSERT INTO forgotten_events (through) VALUES (?)"


class RetainError(Exception):
    """Something could not be deleted: the text names each tenant and why; all that could be is deleted."""


async def keep(options: Namespace, settings: Settings) -> AsyncIterator[str]:
    """Do what one of the commands backup, restore and retain says, and give the lines that tell of it as they come."""
    match options.command:
        case "backup":
            yield f"written: {', '.join(await back_up(settings, options.to))}"
        case "restore":
            yield f"restored: {', '.join(await restore(settings, options.source))}"
        case _:
            async for line in retain(settings):
                yield line


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


async def retain(settings: Settings) -> AsyncIterator[str]:
    """Delete what is over for longer than the settings keep, and tell how many of each tenant and kind.

    Idempotency keys are forgotten as soon as their replay is over; their owner's next order would do the same.
    RetainError once every tenant was seen to, where one's database or the store of files did not do it.
    """
    now_s = time.time()
    edges = _edges(settings, now_s)
    tenants, objects = open_tenants(settings), open_objects(settings)
    failed: list[str] = []
    try:
        names = await tenants.names()
        for name in names:
            try:
                if (database := await tenants.get(name)) is None:
                    continue
                for what, before in edges.items():
                    yield f"{name}: {await _forget(database, what, before)} {what} deleted"
                files, fault = await _sweep(objects, name, database, now_s - _UPLOADED_S)
                yield f"{name}: {files} uploaded files deleted"
                failed += [f"{name}: {fault.message}"] if fault else []
            except DatabaseError as error:
                failed.append(f"{name}: The database refuses or does not answer ({error.category}): {error}")
    finally:
        await objects.close()
        await tenants.close()
    if not names:
        yield NO_TENANT
    if failed:
        again = "The rest is done. Make it answer, or correct its settings, and run `retain` again."
        raise RetainError("\n".join(["Not all that is over could be deleted:", *failed, again]))


def _edges(settings: Settings, now_s: float) -> dict[str, str]:
    """Return, for each kind of row, the instant before which it goes."""
    kept = settings.storage

    def edge(days: int) -> str:
        return rfc3339(now_s - days * _DAY_S)

    return {
        **dict.fromkeys(_FORGET, edge(kept.retention_days)),
        "idempotency keys": rfc3339(now_s - KEPT_S),
        "room messages": edge(kept.message_retention_days),
        _EVENTS: edge(kept.event_retention_days),
    }


async def _sweep(objects: Objects, tenant: str, database: Database, edge_s: float) -> tuple[int, ApiError | None]:
    """Delete the files of before an instant that no row names: of a product that was deleted, or never stored whole.

    Returns how many were, and why no more, where the store of files ended it.
    """
    deleted = 0
    try:
        files = await objects.listed(tenant)
        named = {url for row in await database.query(_NAMED) for url in row}
        for name, at_s in files:
            if at_s < edge_s and address(tenant, name) not in named:
                await objects.delete(tenant, name)
                deleted += 1
        deleted += await objects.tidy(tenant, edge_s)
    except ApiError as fault:
        return deleted, fault
    return deleted, None


async def _forget(database: Database, what: str, edge: str) -> int:
    if what == _EVENTS:
        return await let_go_of_events(database, edge)
    deleted = 0
    while rows := await database.run(_FORGET[what], edge, _AT_ONCE):
        deleted += len(rows)
    return deleted


async def let_go_of_events(database: Database, edge: str) -> int:
    """Delete the events of before an instant, from the oldest on, and return how many; readers from before are told."""
    deleted = 0
    while part := await database.transaction(partial(_oldest, edge), locking=True):
        deleted += part
    return deleted


def _oldest(edge: str) -> Transaction[int]:
    rows = yield Statement(_OLDEST, (_AT_ONCE,))
    ids = [event_id for event_id, _ in takewhile(lambda row: row[1] < edge, rows)]
    if ids:
        yield Statement(_LET_GO, (ids[-1],))
        yield Statement(_FORGET_MARK)
        yield Statement(_MARK, (ids[-1],))
    return len(ids)
