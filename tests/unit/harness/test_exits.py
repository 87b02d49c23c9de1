"""Exit codes: one an ending, and which of several applies."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.errors import CannotTell, HarnessError, TargetError, UsageError
from harness.exits import PRECEDENCE, Exit, first_of

DOCUMENTED = (130, 5, 2, 3, 1, 4, 0)


def test_codes_are_those_documented_in_their_order() -> None:
    """The seven codes stand in the order of precedence that the README gives."""
    assert tuple(int(code) for code in PRECEDENCE) == DOCUMENTED


@given(st.lists(st.sampled_from(Exit)))
def test_the_first_that_applies_is_taken(endings: list[Exit]) -> None:
    """Among several endings the one that stands first in the order is the command's; of none, that it holds."""
    expected = next((code for code in PRECEDENCE if code in endings), Exit.HOLDS)
    assert first_of(*endings) is expected


def test_each_error_has_the_code_of_its_ending() -> None:
    """An error that a person sees ends the command with the code that the README gives for it."""
    expected: dict[type[HarnessError], int] = {HarnessError: 5, UsageError: 2, TargetError: 3, CannotTell: 4}
    assert {kind: int(kind.exit_code) for kind in expected} == expected


def test_a_usage_error_lists_every_problem() -> None:
    """The message has the headline and each problem on a line of its own."""
    assert str(UsageError("harness.toml has 2 problems", ["one", "two"])) == (
        "harness.toml has 2 problems\n  - one\n  - two"
    )
