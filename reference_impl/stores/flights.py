"""Values in the making: whoever asks for one that is being made waits for it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable


class Flights:
    """One task a key; it goes on when those who asked for it have left."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[bytes]] = {}

    async def join(self, key: Hashable, make: Callable[[], Coroutine[None, None, bytes]]) -> bytes:
        """Return what is being made for `key`, begun now unless it is under way."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(make())
            task.add_done_callback(partial(self._landed, key))
        return await asyncio.shield(task)

    def _landed(self, key: Hashable, task: asyncio.Task[bytes]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            task.exception()  # whoever waited has it; that nobody did is no fault
