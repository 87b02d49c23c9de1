"""The timetable: pure arrivals, without a clock."""

from __future__ import annotations

import math
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.timetable import NS_PER_S, Shape, Timetable

TIMETABLES = st.builds(
    Timetable,
    rate_per_s=st.floats(1, 500),
    duration_s=st.floats(0.1, 5),
    warm_up_s=st.one_of(st.just(0.0), st.floats(0.1, 3)),
    seed=st.integers(0, 2**32),
    shape=st.sampled_from(Shape),
)


@given(TIMETABLES)
def test_due_times_are_ordered_and_within_the_timetable(timetable: Timetable) -> None:
    """Due times never go back and stand between the start and the end."""
    due = list(timetable.due_ns())
    assert due == sorted(due)
    assert all(0 <= instant < timetable.end_ns for instant in due)


@given(TIMETABLES)
def test_the_same_values_give_the_same_timetable(timetable: Timetable) -> None:
    """A timetable can be walked again."""
    assert list(timetable.due_ns()) == list(timetable.due_ns())


@given(rate=st.integers(1, 400), duration=st.integers(1, 5), warm_up=st.integers(0, 4))
def test_uniform_arrivals_keep_the_rate_exactly(rate: int, duration: int, warm_up: int) -> None:
    """A uniform timetable plans rate x duration judged arrivals, give or take the one at the edge."""
    timetable = Timetable(rate, duration, warm_up, shape=Shape.UNIFORM)
    assert abs(timetable.planned() - rate * duration) <= 1


@given(rate=st.floats(20, 400), seed=st.integers(0, 2**32))
def test_poisson_arrivals_keep_the_rate_within_six_deviations(rate: float, seed: int) -> None:
    """A Poisson count stays near its mean."""
    planned = Timetable(rate, 5, seed=seed).planned()
    assert abs(planned - rate * 5) < 6 * math.sqrt(rate * 5)


def test_poisson_gaps_are_exponential() -> None:
    """A tenth of the gaps is longer than 2.3 mean gaps, as of an exponential distribution."""
    due = list(Timetable(1000, 20, seed=7).due_ns())
    gaps = [later - earlier for earlier, later in pairwise(due)]
    longer = sum(gap > math.log(10) * NS_PER_S / 1000 for gap in gaps) / len(gaps)
    assert longer == pytest.approx(0.1, abs=0.015)


@given(TIMETABLES.filter(lambda timetable: timetable.warm_up_s > 0))
def test_the_warm_up_is_not_judged_and_holds_half_the_rate(timetable: Timetable) -> None:
    """The rate climbs in a line, so the warm-up expects half of the arrivals that the full rate would bring."""
    expected = timetable.rate_per_s * timetable.warm_up_s / 2
    before = [due for due in timetable.due_ns() if due < timetable.judged_from_ns]
    assert abs(len(before) - expected) < 7 * math.sqrt(expected) + 3


def test_an_endless_timetable_can_be_walked_and_not_counted() -> None:
    """By hand a load has no end; counting its arrivals is an error."""
    endless = Timetable(10, math.inf, shape=Shape.UNIFORM)
    assert list(islice(endless.due_ns(), 3)) == [0, NS_PER_S // 10, NS_PER_S // 5]
    with pytest.raises(ValueError, match="only a finite timetable"):
        endless.planned()


def test_every_wrong_value_is_named_at_once() -> None:
    """The message names each value with its rule."""
    with pytest.raises(ValueError, match=r"rate_per_s is 0.*duration_s is -1.*warm_up_s is inf"):
        Timetable(0, -1, math.inf)
