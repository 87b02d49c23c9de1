"""The one place where time is read; a case, a model or a judgement is given instants and reads none."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Instants in nanoseconds on one monotonic clock, shared by all processes of a machine."""

    def now_ns(self) -> int:
        """Nanoseconds on the monotonic clock."""
        ...

    def wall(self) -> datetime:
        """The time of day in UTC, for names and reports only."""
        ...


class SystemClock:
    """CLOCK_MONOTONIC and the wall clock of this machine."""

    def now_ns(self) -> int:
        """Nanoseconds on the monotonic clock."""
        return time.monotonic_ns()

    def wall(self) -> datetime:
        """The time of day in UTC."""
        return datetime.now(UTC)
