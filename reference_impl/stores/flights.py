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

    async def join(
        self, key: Hashable, make: Callable[[], Coroutine[None, None, bytes]], linger_s: float = 0.0
    ) -> bytes:
        """Return what is being made for `key`, begun now unless it is under way or was begun within `linger_s`.

        Who looked before the value was kept, and asks here after, gets it from a flight that lingers.
        """
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(make())
            ends = asyncio.get_running_loop().time() + linger_s
            task.add_done_callback(partial(self._landed, key, ends))
        return await asyncio.shield(task)

    def _landed(self, key: Hashable, ends: float, task: asyncio.Task[bytes]) -> None:
        loop = task.get_loop()
        if task.cancelled() or task.exception() is not None or loop.time() >= ends:
            del self._tasks[key]
        else:
            loop.call_at(ends, self._tasks.pop, key)
