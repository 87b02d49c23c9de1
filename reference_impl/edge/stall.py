"""Lets go of a client that takes nothing of what was written to it, however long it stays."""

from __future__ import annotations

import contextlib
import fcntl
import sys
import termios
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

# How often, within the time that a client has, it is looked whether it has taken anything.
_LOOKS = 4
_COUNT_BYTES = 4


class Stall:
    """Calls `let_go` once nothing is taken for `timeout_s`; a client that is slow and goes on is left alone."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        timeout_s: float,
        let_go: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._let_go = let_go
        self._every_s = timeout_s / _LOOKS
        self._next: asyncio.TimerHandle | None = None
        self._left_bytes = 0
        self._in_vain = 0

    def begin(self) -> None:
        """Look from now on, unless all is taken."""
        if self._next is None and self._transport.get_write_buffer_size():
            self._left_bytes, self._in_vain = self._left(), 0
            self._next = self._loop.call_later(self._every_s, self._look)

    def end(self) -> None:
        """Look no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _look(self) -> None:
        left_bytes = self._left()
        self._in_vain = 0 if left_bytes < self._left_bytes else self._in_vain + 1
        self._left_bytes = left_bytes
        if self._in_vain >= _LOOKS:
            self._next = None
            self._let_go()
        else:
            self._next = self._loop.call_later(self._every_s, self._look)

    def _left(self) -> int:
        """Bytes not taken: those here, and those that the system holds, of which a slow client takes few at once."""
        count = bytearray(_COUNT_BYTES)
        connection = self._transport.get_extra_info("socket")
        if connection is not None:
            with contextlib.suppress(OSError):  # a system that does not count them
                fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, count)
        return self._transport.get_write_buffer_size() + int.from_bytes(count, sys.byteorder)
