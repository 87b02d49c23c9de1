"""Times as text: what they say, and that texts compare as times do."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from reference_impl.clock import rfc3339

times = st.floats(min_value=0, max_value=4e9, allow_nan=False)


@given(times)
def test_it_says_the_time_in_milliseconds(epoch_s: float) -> None:
    """The text is the time, to the millisecond that it lies in, and always of one width."""
    text = rfc3339(epoch_s)
    assert len(text) == len("2026-01-31T12:00:00.000Z")
    assert -1e-6 <= epoch_s - datetime.fromisoformat(text).timestamp() < 0.001 + 1e-6


@given(times, times)
def test_texts_are_in_the_order_of_times(one_s: float, other_s: float) -> None:
    """Whoever compares texts compares times."""
    assert (rfc3339(one_s) <= rfc3339(other_s)) or one_s > other_s
