"""Ctrl-C, a request to end, and a terminal that hung up: each is one KeyboardInterrupt, however often it comes."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
REPEATED_S = 2.0
AGAIN_S = 0.02


class _Once:
    """Raises for a signal; those that follow within two seconds are the same impatience and are passed over.

    One that falls into a finalizer comes again a moment later.
    """

    def __init__(self) -> None:
        self._raised_s = -math.inf

    def __call__(self, sign: int, frame: FrameType | None) -> None:
        if in_finalizer(frame):
            again = threading.Timer(AGAIN_S, os.kill, (os.getpid(), sign))
            again.daemon = True
            again.start()
            return
        now_s = time.monotonic()
        if now_s - self._raised_s >= REPEATED_S:
            self._raised_s = now_s
            # Of what it cuts in an event loop that would tell with tracebacks, which nobody asked for.
            logging.getLogger("asyncio").disabled = True
            raise KeyboardInterrupt


def in_finalizer(frame: FrameType | None) -> bool:
    """Whether a signal fell into a finalizer, where Python shows whatever is raised, and goes on as if it were not."""
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


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
