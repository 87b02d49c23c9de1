"""The run that a pytest works in: the one that it opened itself, or the one of `harness verify` that it joined."""

from __future__ import annotations

import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from harness.interruption import in_finalizer

if TYPE_CHECKING:
    import contextlib
    from types import FrameType

    from harness.report import Report
    from harness.run import Run


@dataclass(slots=True)
class Joined:
    """The run that this pytest works in; `close` ends what was opened for it; `pressed` says that Ctrl-C was."""

    run: Run
    close: contextlib.ExitStack
    report: Report | None = None
    failed: int = 0
    interrupted: bool = False
    pressed: bool = False

    def heed(self) -> None:
        """Notes from now on that Ctrl-C was pressed, as one that falls into a finalizer is lost to Python."""
        before = signal.getsignal(signal.SIGINT)

        def pressed(number: int, frame: FrameType | None) -> None:
            self.pressed = True
            if callable(before) and not in_finalizer(frame):
                before(number, frame)

        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, pressed)
            self.close.callback(signal.signal, signal.SIGINT, before)


JOINED = pytest.StashKey[Joined]()
