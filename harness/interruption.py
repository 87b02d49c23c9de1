"""Ctrl-C, a request to end, and a terminal that hung up: each is one KeyboardInterrupt, however often it comes."""

from __future__ import annotations

import contextlib
import logging
import math
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
REPEATED_S = 2.0


class _Once:
    """Raises for a signal; those that follow within two seconds are the same impatience and are passed over."""

    def __init__(self) -> None:
        self._raised_s = -math.inf

    def __call__(self, _signal: int, _frame: object) -> None:
        now_s = time.monotonic()
        if now_s - self._raised_s >= REPEATED_S:
            self._raised_s = now_s
            # Of what it cuts in an event loop that would tell with tracebacks, which nobody asked for.
            logging.getLogger("asyncio").disabled = True
            raise KeyboardInterrupt


def listen() -> None:
    """From now on each of the signals raises KeyboardInterrupt in the main thread."""
    once = _Once()
    for sign in SIGNALS:
        signal.signal(sign, once)


@contextlib.contextmanager
def passed_over() -> Iterator[None]:
    """While a run is wound up, no further signal disturbs it; a kill does, and leaves nothing behind either."""
    before = [(sign, signal.signal(sign, lambda *_: None)) for sign in SIGNALS]
    try:
        yield
    finally:
        for sign, handler in before:
            signal.signal(sign, handler)
