"""Whose turn it is: what must run alone waits for what runs beside others, and that for it, over all processes."""

from __future__ import annotations

import contextlib
import fcntl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.run import Run

LOCK_FILE = ".alone"


@contextlib.contextmanager
def beside(run: Run, *, alone: bool) -> Iterator[None]:
    """Holds off what must run alone while others run, and others while it runs, over all processes of the run."""
    with (run.folder / LOCK_FILE).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)
