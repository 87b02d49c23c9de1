"""One survey of one operation, driven once a process for every standing promise that judges it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.case import Case
    from harness.drive import Driven


@dataclass(slots=True)
class Survey:
    """The cases that were driven, each with what came of it by attempt.

    `send` drives a case for the n-th time and stops after so many seconds; `left_s` tells how many there are.
    """

    send: Callable[[Case, int, float], Driven]
    left_s: Callable[[], float]
    share_s: float
    driven: list[tuple[Case, dict[int, Driven]]] = field(default_factory=list)
    _spent_s: float = 0.0

    def drive(self, cases: Iterable[Case]) -> None:
        """Drives the cases in turn; what answers without end is not asked again."""
        for case in cases:
            done = self._sent(case, 1)
            if done is None:
                return
            self.driven.append((case, {1: done}))
            if any(exchange.endless for exchange in done.exchanges):
                return

    def attempt(self, case: Case, number: int) -> Driven | None:
        """What came of a case's n-th drive, driven now where that is yet to be done; None where no time is left."""
        attempts = next(attempts for known, attempts in self.driven if known is case)
        if number not in attempts:
            done = self._sent(case, number)
            if done is None:
                return None
            attempts[number] = done
        return attempts[number]

    def _sent(self, case: Case, number: int) -> Driven | None:
        left_s = min(self.share_s - self._spent_s, self.left_s())
        if left_s <= 0:
            return None
        began = time.monotonic()
        done = self.send(case, number, left_s)
        self._spent_s += time.monotonic() - began
        return done
