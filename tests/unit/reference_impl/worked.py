"""Work on a database of SQLite on a loop of its own, which is closed whatever becomes of the work."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reference_impl.data.sqlite import SqliteDatabase


def worked(make: Callable[[], SqliteDatabase], work: Callable[[Any], Awaitable[Any]]) -> Any:
    """What the work comes to on a database that is made on the loop."""

    async def whole() -> Any:
        database = make()
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(whole())
