"""Wake-ups at an instant: never early, and punctual on a quiet machine."""

from __future__ import annotations

import sys
from time import monotonic_ns
from typing import TYPE_CHECKING

import pytest

from harness.load.alarm import Alarm, KernelAlarm, SteppingAlarm, alarm

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = [SteppingAlarm, *([KernelAlarm] if sys.platform == "linux" else [])]


@pytest.fixture(params=KINDS)
def waker(request: pytest.FixtureRequest) -> Iterator[Alarm]:
    """Each kind of alarm."""
    kind: Alarm = request.param()
    yield kind
    kind.close()


def test_an_alarm_never_wakes_early_and_can_be_punctual(waker: Alarm) -> None:
    """No wake-up is early; on a machine however busy some come within a millisecond of their instant."""
    start_ns = monotonic_ns()
    lags = []
    for number in range(1, 41):
        waker.wait_until(start_ns + number * 4_000_000)
        lags.append(monotonic_ns() - start_ns - number * 4_000_000)
    assert min(lags) >= 0
    assert sorted(lags)[1] < 1_000_000


def test_an_instant_that_is_past_does_not_wait(waker: Alarm) -> None:
    """A late pacer sends what is due at once."""
    start_ns = monotonic_ns()
    for _ in range(100):
        waker.wait_until(start_ns - 1)
    assert monotonic_ns() - start_ns < 50_000_000


def test_a_second_close_does_nothing() -> None:
    """The system's best alarm gives back its descriptor once."""
    best = alarm()
    best.close()
    best.close()
