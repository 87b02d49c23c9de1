"""When each request of an open-model load is due, decided before the first is sent.

Arrivals do not wait for answers (Schroeder, Wierman, Harchol-Balter: "Open Versus Closed: A Cautionary Tale", NSDI
2006), so a server that stalls meets the requests that real users would have sent meanwhile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NS_PER_S = 1_000_000_000


class Shape(StrEnum):
    """How the arrivals are spaced at a given rate."""

    UNIFORM = "uniform"
    POISSON = "poisson"


@dataclass(frozen=True, slots=True)
class Timetable:
    """Arrivals at `rate_per_s` for `duration_s`, after a warm-up in which the rate climbs from nothing in a line.

    The warm-up's arrivals are sent and not judged. The same values give the same due times.
    """

    rate_per_s: float
    duration_s: float
    warm_up_s: float = 0.0
    seed: int = 0
    shape: Shape = Shape.POISSON

    def __post_init__(self) -> None:
        problems = [
            f"rate_per_s is {self.rate_per_s}: it must be a finite number above 0" * (not _above_0(self.rate_per_s)),
            f"duration_s is {self.duration_s}: it must be above 0" * (not self.duration_s > 0),
            f"warm_up_s is {self.warm_up_s}: it must be a finite number, 0 or above"
            * (not (math.isfinite(self.warm_up_s) and self.warm_up_s >= 0)),
        ]
        if any(problems):
            raise ValueError("; ".join(filter(None, problems)))

    @property
    def judged_from_ns(self) -> int:
        """Arrivals that are due at this instant or later are judged; nanoseconds from the start."""
        return round(self.warm_up_s * NS_PER_S)

    @property
    def end_ns(self) -> float:
        """No arrival is due at this instant or later; nanoseconds from the start, infinite where the duration is."""
        return (self.warm_up_s + self.duration_s) * NS_PER_S

    def due_ns(self) -> Iterator[int]:
        """The due times in nanoseconds from the start, in order.

        A unit-rate process is mapped through the inverse of the cumulated rate (Çinlar 1975), so that uniform and
        Poisson arrivals share one warm-up.
        """
        end_ns = self.end_ns
        for expected in self._unit_arrivals():
            due_ns = int(self._instant_s(expected) * NS_PER_S)
            if due_ns >= end_ns:
                return
            yield due_ns

    def planned(self) -> int:
        """How many judged arrivals there are; the duration must be finite."""
        if math.isinf(self.duration_s):
            raise ValueError("duration_s is inf: only a finite timetable can be counted")
        return sum(1 for due_ns in self.due_ns() if due_ns >= self.judged_from_ns)

    def _unit_arrivals(self) -> Iterator[float]:
        if self.shape is Shape.UNIFORM:
            yield from map(float, count())
            return
        random, at = Random(self.seed), 0.0  # noqa: S311 - arrivals need to be repeatable, not secret
        while True:
            at += random.expovariate(1.0)
            yield at

    def _instant_s(self, expected: float) -> float:
        """The instant at which so many arrivals are expected to have come."""
        climbing = self.rate_per_s * self.warm_up_s / 2
        if expected < climbing:
            return math.sqrt(2 * expected * self.warm_up_s / self.rate_per_s)
        return self.warm_up_s + (expected - climbing) / self.rate_per_s


def _above_0(value: float) -> bool:
    return math.isfinite(value) and value > 0
