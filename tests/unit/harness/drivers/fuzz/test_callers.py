"""Who speaks next, without a network or a wait."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from harness.drivers.fuzz.callers import MAX_RENEWALS, Callers
from harness.errors import CannotTell
from harness.identities import ANONYMOUS, Identity

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST = Identity("first", ("user",))


@dataclass
class Time:
    """A clock that stands until it is moved."""

    now: int = 0

    def now_ns(self) -> int:
        """The instant."""
        return self.now

    def wall(self) -> datetime:
        """Any time of day."""
        return datetime(2026, 1, 1, tzinfo=UTC)


def _registering() -> Callable[[Identity], Identity]:
    made = iter(range(1000))
    return lambda identity: replace(identity, name=f"other-{next(made)}")


def _refusing(_: Identity) -> Identity:
    raise CannotTell("no more accounts")


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 5)), max_size=30))
def test_nobody_is_asked_to_call_while_its_quota_is_used_up(refusals: list[tuple[str, int]]) -> None:
    """Whoever is picked has not been refused for the operation within the time that the refusal told."""
    clock, closed = Time(), {}
    callers = Callers(FIRST, clock, renew=_registering())
    for operation, seconds in refusals:
        who = callers.pick(operation)
        if who is None:
            clock.now += int(callers.wait_s(operation) * 1e9) + 1
            who = callers.pick(operation)
        assert who is not None
        assert closed.get((operation, who.name), 0) <= clock.now
        callers.served(operation, who)
        callers.refused(operation, who, seconds)
        closed[operation, who.name] = clock.now + seconds * 1_000_000_000


def test_the_first_goes_again_when_its_quota_is_open() -> None:
    """What an identity made is mostly used by the same identity: it is picked again as soon as it may."""
    clock = Time()
    callers = Callers(FIRST, clock, renew=_registering())
    callers.served("list", FIRST)
    callers.refused("list", FIRST, 2.0)
    other = callers.pick("list")
    clock.now += 2_000_000_000
    assert (other and other.name, callers.pick("list")) == ("other-0", FIRST)


def test_a_quota_that_all_share_is_waited_for() -> None:
    """Where an identity that never called is refused too, nobody else is made, and the wait is what was told."""
    clock = Time()
    callers = Callers(FIRST, clock, renew=_registering())
    callers.refused("login", FIRST, 3.0)
    fresh = callers.pick("login")
    assert fresh is not None
    callers.refused("login", fresh, 3.0)
    assert (callers.pick("login"), callers.wait_s("login")) == (None, 3.0)
    assert callers.pick("list") == FIRST


def test_one_that_can_only_log_in_again_does_not_rotate() -> None:
    """A known identity stays the same one when it is renewed, so its quota is waited for."""
    callers = Callers(FIRST, Time(), renew=lambda _: FIRST)
    callers.refused("list", FIRST, 3.0)
    assert (callers.pick("list"), callers.wait_s("list")) == (None, 3.0)


def test_only_one_that_was_lost_is_told_as_lost() -> None:
    """A used up quota says nothing against who called; one that is not accepted any more is renewed by its name."""
    told: list[Identity] = []

    def renew(lost: Identity) -> Identity:
        told.append(lost)
        return replace(FIRST, name=f"other-{len(told)}")

    callers = Callers(FIRST, Time(), renew=renew)
    callers.refused("list", FIRST, 3.0)
    other = callers.pick("list")
    assert other is not None
    callers.renewed(other)
    assert told == [ANONYMOUS, other]


def test_renewing_ends() -> None:
    """An API that refuses every new token is not asked for tokens for ever."""
    callers = Callers(FIRST, Time(), renew=_registering())
    who = FIRST
    for _ in range(MAX_RENEWALS):
        fresh = callers.renewed(who)
        assert fresh is not None
        who = fresh
    assert callers.renewed(who) is None


def test_the_loss_of_the_last_one_is_told() -> None:
    """Where nobody is left, the reason is the error that the renewal gave."""
    callers = Callers(FIRST, Time(), renew=_refusing)
    assert callers.renewed(FIRST) is None
    assert "no more accounts" in callers.lost
