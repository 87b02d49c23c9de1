"""The bus: nudges between those who wrote and those who wait. The events table is the truth; a nudge may be lost."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

Key = tuple[str, ...]
"""Tenant, then the channel's name."""
LOST = b""
"""What a subscriber gets in the place of messages that may have been lost: read the truth again."""
_WAITING = 1000


class Subscription:
    """The messages of one channel for one subscriber, oldest first."""

    def __init__(self) -> None:
        self._messages: deque[bytes] = deque()
        self._arrived = asyncio.Event()

    def deliver(self, message: bytes) -> None:
        """Hand over a message; a subscriber too slow for it is told that it lost some."""
        if len(self._messages) >= _WAITING:
            self._messages.clear()
            message = LOST
        self._messages.append(message)
        self._arrived.set()

    async def wait(self, timeout_s: float) -> bytes | None:
        """Return the next message, or None when none came for so long."""
        if not self._messages:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._arrived.wait()
            except TimeoutError:
                return None
        return self._next()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await self._arrived.wait()
            yield self._next()

    def _next(self) -> bytes:
        message = self._messages.popleft()
        if not self._messages:
            self._arrived.clear()
        return message


class Bus(Protocol):
    """Carries messages to the subscribers of every worker."""

    async def publish(self, channel: Key, message: bytes = LOST) -> None:
        """Hand a message to whoever subscribes now; it raises nothing when the others cannot be reached."""
        ...

    def subscribe(self, channel: Key) -> AbstractAsyncContextManager[Subscription]:
        """Collect the channel's messages from entering on; LOST is one of them where some may be missing."""
        ...
