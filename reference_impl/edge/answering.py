"""A connection as the answer to one request sees it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Answering(asyncio.Transport):
    """What uvicorn's cycle uses of a transport: it writes, asks, and closes, which leaves the client time to read."""

    def __init__(self, transport: asyncio.Transport, leave: Callable[[], None]) -> None:
        super().__init__()
        self._transport = transport
        self._leave = leave

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send what there is of an answer."""
        self._transport.write(data)

    def is_closing(self) -> bool:
        """Say whether nothing more can be sent."""
        return self._transport.is_closing()

    def close(self) -> None:
        """End the answer; the client reads what it has been sent."""
        self._leave()
