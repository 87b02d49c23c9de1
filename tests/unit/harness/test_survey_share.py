"""A survey is driven once for all promises that judge it, and takes no more than its share of the time."""

from __future__ import annotations

import pytest

from harness.case import Case
from harness.drive import Driven
from harness.exchange import ENDLESS, Exchange, Request
from harness.survey import Survey

CASES = [Case("schema", "o", name, lambda _: iter(())) for name in ("valid", "unknown", "malformed")]


class Sender:
    """Drives nothing, and keeps what it was asked to drive; an answer may be without end."""

    def __init__(self, error: str = "") -> None:
        self.asked: list[tuple[str, int]] = []
        self.error = error

    def __call__(self, case: Case, number: int, limit_s: float) -> Driven:
        """One drive."""
        assert limit_s > 0
        self.asked.append((case.name, number))
        return Driven([Exchange("e", Request("GET", "/", "o"), None, 0, 0, 0, error=self.error)])


def test_a_further_attempt_is_driven_once_for_all_promises() -> None:
    """The second promise that asks for a case's second drive is given what came of the first one's."""
    sender = Sender()
    survey = Survey(sender, lambda: 9.0, 9.0)
    survey.drive(CASES)
    assert survey.attempt(CASES[1], 2) is survey.attempt(CASES[1], 2)
    assert sender.asked == [("valid", 1), ("unknown", 1), ("malformed", 1), ("unknown", 2)]


@pytest.mark.parametrize(("left_s", "share_s"), [(0.0, 9.0), (9.0, 0.0)])
def test_nothing_is_driven_without_time(left_s: float, share_s: float) -> None:
    """Neither past the run's time nor past the operation's share."""
    sender = Sender()
    Survey(sender, lambda: left_s, share_s).drive(CASES)
    assert sender.asked == []


def test_what_answers_without_end_is_asked_once() -> None:
    """A stream costs one time-out, not one a case."""
    sender = Sender(f"{ENDLESS} in 10 s")
    Survey(sender, lambda: 99.0, 99.0).drive(CASES)
    assert sender.asked == [("valid", 1)]
