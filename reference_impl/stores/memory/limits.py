"""The sliding-window log in this process's memory, atomic because nothing is awaited between count and insert."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING

from reference_impl.stores.limits import Decision

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.stores.limits import Key, Rule

_SWEEP_EVERY = 4096


class MemoryLimits:
    """One log a key and rule; what has left its window is swept now and then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._logs: dict[Key, deque[float]] = {}
        self._windows: dict[Key, float] = {}
        self._takes = 0

    async def take(self, key: Key, rule: Rule) -> Decision:
        """Count one request of `key` against `rule`, unless the quota is spent."""
        now = self._clock()
        log = self.admitted(key, rule, now)
        allowed = len(log) < rule.quota
        if allowed:
            log.append(now)
        self._sweep(now)
        return decide(log, rule, now, allowed=allowed)

    async def give_back(self, key: Key, rule: Rule, taken: Decision) -> None:
        """Forget an admission of `key`: it did not count after all."""
        with contextlib.suppress(ValueError):  # it has left the window already
            self.admitted(key, rule, self._clock()).remove(float(taken.ticket))

    def now(self) -> float:
        """The store's clock, in seconds."""
        return self._clock()

    def admitted(self, key: Key, rule: Rule, now: float) -> deque[float]:
        """Return the log of `key` without what has left the window."""
        full = (rule.name, *key)
        log = self._logs.get(full)
        if log is None:
            log = self._logs[full] = deque()
            self._windows[full] = rule.window_s
        edge = now - rule.window_s
        while log and log[0] <= edge:
            log.popleft()
        return log

    def _sweep(self, now: float) -> None:
        self._takes += 1
        if self._takes % _SWEEP_EVERY:
            return
        for full in [full for full, log in self._logs.items() if not log or log[-1] <= now - self._windows[full]]:
            del self._logs[full]
            del self._windows[full]


def decide(log: deque[float], rule: Rule, now: float, *, allowed: bool) -> Decision:
    """Describe a log after the request was counted or refused."""
    oldest = log[0] if log else now
    return Decision(
        allowed=allowed,
        quota=rule.quota,
        remaining=max(0, rule.quota - len(log)),
        reset_s=max(0.0, oldest + rule.window_s - now),
        ticket=repr(now) if allowed else "",
    )
