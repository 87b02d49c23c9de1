"""What is told of a run."""

from __future__ import annotations

import json

import pytest

from harness.load.measurement import Limits, doubt, measure, operation_doubt, to_text
from harness.load.sample import Sample

MS = 1_000_000


def samples(count: int, *, lag_ms: int = 0, status: int = 200, took_ms: int = 5) -> list[Sample]:
    """So many arrivals, 10 ms apart, all alike."""
    return [
        Sample("a", status, n * 10 * MS, (n * 10 + lag_ms) * MS, (n * 10 + lag_ms + took_ms) * MS, "", status < 400)
        for n in range(count)
    ]


def test_each_operation_is_measured_by_itself() -> None:
    """Counts, rates and ratios are an operation's own; the plan and the lag are the run's."""
    mixed = sorted(
        [*samples(100), *(item._replace(operation="b", status=503) for item in samples(50))], key=lambda s: s[2]
    )
    measured = measure(mixed, planned=150, duration_s=1.5)
    first, second = measured.operations
    assert (first.operation, first.count, first.errors, first.latency and first.latency.p95_ms) == ("a", 100, 0, 5.0)
    assert (second.operation, second.count, second.error_ratio, second.latency) == ("b", 50, 1.0, None)
    assert (measured.planned_rate_per_s, measured.reached_rate_per_s) == (100.0, 100.0)
    assert measured.operation("c") is None
    assert json.loads(json.dumps(measured.to_record()))["sent"] == 150


@pytest.mark.parametrize(
    ("found", "planned", "reason"),
    [
        ([], 500, "no request was sent"),
        (samples(99), 99, "only 99 requests"),
        (samples(400), 500, "reached 400 of 500"),
        (samples(500, lag_ms=150), 500, "late by 150.0 ms"),
        (samples(500), 500, ""),
    ],
)
def test_a_run_that_says_nothing_says_why(found: list[Sample], planned: int, reason: str) -> None:
    """Nothing sent, too little sent and a late generator each have their reason."""
    told = doubt(measure(found, planned=planned, duration_s=5), Limits())
    assert told == reason if not reason else reason in told


def test_an_operation_that_is_refused_says_nothing() -> None:
    """Refusals that nobody expected are no fast answers."""
    (refused,) = measure(samples(100, status=429), planned=100, duration_s=1).operations
    assert "refused with a 4xx" in operation_doubt(refused, Limits())
    assert refused.latency is None
    (few,) = measure(samples(5), planned=5, duration_s=1).operations
    assert "only 5 requests" in operation_doubt(few, Limits())


def test_the_table_shows_each_operation_on_a_line() -> None:
    """A person reads counts and percentiles of each operation."""
    text = to_text(measure(samples(100), planned=100, duration_s=1))
    assert text.splitlines()[-1].split() == ["a", "100", "0", "0", "5.00", "5.00", "5.00", "5.00"]
