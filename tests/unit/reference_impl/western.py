"""A clock told eight hours west of UTC."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def west() -> Iterator[None]:
    """Tells this process's clock eight hours west of UTC."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "WEST8"
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        os.environ.update({} if before is None else {"TZ": before})
        time.tzset()
