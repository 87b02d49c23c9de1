"""Rate limits: an exact sliding-window log per key, whoever keeps it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `quota` admissions in any half-open window of `window_s` seconds."""

    name: str
    quota: int
    window_s: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What the limiter said: `reset_s` is the time until the oldest counted admission leaves the window."""

    allowed: bool
    quota: int
    remaining: int
    reset_s: float
    ticket: str = ""
    """Names the admission to `give_back`; empty when there is none."""

    def reset_delta(self) -> int:
        """Whole seconds until a unit comes back, never below the truth."""
        return math.ceil(self.reset_s)

    def reset_epoch(self, now_epoch_s: float) -> int:
        """The instant a unit comes back in epoch seconds, never below the truth."""
        return math.ceil(now_epoch_s + self.reset_s)


class Limits(Protocol):
    """Where admissions are counted. A store that does not answer raises UNAVAILABLE: it never lets pass uncounted."""

    async def take(self, key: Key, rule: Rule) -> Decision:
        """Count one request of `key` against `rule`, unless the quota is spent."""
        ...

    async def give_back(self, key: Key, rule: Rule, taken: Decision) -> None:
        """Forget an admission of `key`: it did not count after all."""
        ...
