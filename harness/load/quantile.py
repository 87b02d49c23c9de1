"""Exact percentiles of latencies, and what is left of a latency without the generator's own lag."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.load.sample import Sample

NS_PER_MS = 1_000_000


def quantile(ordered: Sequence[int], part: float) -> int:
    """The smallest value that at least `part` (above 0, at most 1) of the ordered values do not exceed.

    The nearest rank, type 1 of Hyndman and Fan (1996): always a value that was measured, never between two.
    """
    if not ordered:
        raise ValueError("no values: a percentile of nothing is not 0")
    if not 0 < part <= 1:
        raise ValueError(f"part is {part}: it must be above 0 and at most 1")
    rank = math.ceil(round(part * len(ordered), 9))
    return ordered[rank - 1]


@dataclass(frozen=True, slots=True)
class Latency:
    """The percentiles of one set of latencies, in milliseconds, unrounded."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float

    @classmethod
    def of(cls, latencies_ns: Iterable[int]) -> Latency:
        """The percentiles of latencies in nanoseconds; ValueError where there are none."""
        ordered = sorted(latencies_ns)
        return cls(*(quantile(ordered, part) / NS_PER_MS for part in (0.5, 0.95, 0.99, 1.0)))


def without_lag(samples: Sequence[Sample]) -> list[int]:
    """Each sample's latency in ns less the worst lag of the generator while that request was under way.

    `samples` are all of a run, of every operation, in the order of their due times. A generator that waited for a
    processor cannot tell how long an answer lay there unread; the arrivals that were due meanwhile show how long it
    waited. What is left is what the machine's noise does not explain.
    """
    dues = [sample.due_ns for sample in samples]
    lags = [sample.lag_ns for sample in samples]
    left = []
    for sample in samples:
        first, last = bisect_left(dues, sample.due_ns), bisect_right(dues, sample.done_ns)
        left.append(max(0, sample.latency_ns - max(lags[first:last], default=0)))
    return left
