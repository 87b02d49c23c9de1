"""Percentiles and the generator's lag."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.quantile import Latency, quantile, without_lag
from harness.load.sample import Sample

MS = 1_000_000
VALUES = st.lists(st.integers(0, 10**12), min_size=1, max_size=300).map(sorted)


@given(VALUES, st.floats(0.001, 1))
def test_a_quantile_is_a_measured_value_with_its_part_below(values: list[int], part: float) -> None:
    """At least the part of all values is no larger, and less than the part is smaller."""
    value = quantile(values, part)
    assert value in values
    assert sum(item <= value for item in values) >= part * len(values) - 1e-6
    assert sum(item < value for item in values) < part * len(values) + 1e-6


def test_percentiles_are_not_rounded() -> None:
    """Of 1 to 100 ms and some, p95 is the 95th, to the nanosecond."""
    latency = Latency.of(n * MS + 123 for n in range(100, 0, -1))
    assert Latency(50.000123, 95.000123, 99.000123, 100.000123) == latency


@pytest.mark.parametrize(("values", "part"), [([], 0.5), ([1], 0), ([1], 1.5)])
def test_a_percentile_of_nothing_is_an_error(values: list[int], part: float) -> None:
    """Nothing measured is never 0."""
    with pytest.raises(ValueError, match=r"no values|part is"):
        quantile(values, part)


ARRIVALS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**5), st.integers(0, 10**6)), max_size=60).map(
    lambda rows: [Sample("a", 200, due, due + lag, due + lag + took) for due, lag, took in sorted(rows)]
)


@given(ARRIVALS)
def test_without_lag_never_exceeds_the_latency_from_sending(samples: list[Sample]) -> None:
    """What is left is never negative and never more than what the server took."""
    for sample, left_ns in zip(samples, without_lag(samples), strict=True):
        assert 0 <= left_ns <= sample.done_ns - sample.sent_ns


def test_a_generator_that_was_starved_is_not_the_servers_fault() -> None:
    """An answer that lay unread for 300 ms, as the late arrivals beside it show, leaves a short latency."""
    starved = Sample("a", 200, 0, 0, 305 * MS)
    beside = [Sample("a", 200, n * 10 * MS, 301 * MS, 306 * MS) for n in range(1, 30)]
    left = without_lag([starved, *beside])
    assert left[0] == 305 * MS - 291 * MS
    assert max(left) < 20 * MS


def test_a_slow_server_is_not_excused_by_a_punctual_generator() -> None:
    """Where every arrival was on time the whole latency is left."""
    samples = [Sample("a", 200, n * MS, n * MS, (n + 300) * MS) for n in range(20)]
    assert without_lag(samples) == [300 * MS] * 20
