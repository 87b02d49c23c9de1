"""The limiter against a pure model of the sliding window."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from reference_impl.limits import Decision, MemoryStore, Rule

RULE = Rule("r", 3, 4.0)


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        """Return the time it was set to."""
        return self.now_s


def ask(store: MemoryStore, key: str = "a", rule: Rule = RULE) -> Decision:
    """Take once."""
    return asyncio.run(store.take((key,), rule))


@given(st.lists(st.tuples(st.integers(0, 12), st.sampled_from("ab")), max_size=40), st.integers(1, 4))
def test_admissions_are_those_of_the_model(steps: list[tuple[int, str]], quota: int) -> None:
    """For any schedule, admitted is who finds fewer than the quota in the half-open window before."""
    clock = HandClock()
    store = MemoryStore(clock)
    rule = Rule("r", quota, 4.0)
    admitted: dict[str, list[float]] = {"a": [], "b": []}
    with asyncio.Runner() as runner:
        for quarter_seconds, key in steps:
            clock.now_s += quarter_seconds / 4
            window = [at for at in admitted[key] if at > clock.now_s - 4.0]
            decision = runner.run(store.take((key,), rule))
            assert decision.allowed == (len(window) < quota)
            if decision.allowed:
                admitted[key].append(clock.now_s)
                window.append(clock.now_s)
            assert decision.remaining == quota - len(window)
            assert decision.reset_s == window[0] + 4.0 - clock.now_s


@given(st.integers(1, 50), st.integers(1, 20))
def test_concurrent_takes_never_pass_the_quota(callers: int, quota: int) -> None:
    """However many ask at once, exactly the quota is admitted."""
    store = MemoryStore(HandClock())
    rule = Rule("r", quota, 4.0)

    async def together() -> list[Decision]:
        return await asyncio.gather(*[store.take(("a",), rule) for _ in range(callers)])

    assert sum(decision.allowed for decision in asyncio.run(together())) == min(callers, quota)


def test_after_the_reset_one_is_admitted_and_not_before() -> None:
    """`reset_s` is the truth: refused just before it, admitted at it."""
    clock = HandClock()
    store = MemoryStore(clock)
    for _ in range(3):
        ask(store)
    refused = ask(store)
    assert (refused.allowed, refused.reset_s) == (False, 4.0)
    clock.now_s += 3.9
    assert not ask(store).allowed
    clock.now_s = 104.0
    assert ask(store).allowed


def test_headers_are_never_below_the_truth() -> None:
    """Whole seconds are rounded up."""
    decision = Decision(allowed=False, quota=1, remaining=0, reset_s=0.2)
    assert decision.reset_delta() == 1
    assert decision.reset_epoch(1000.9) == 1002


def test_a_given_back_admission_did_not_count() -> None:
    """`give_back` frees the newest place."""
    store = MemoryStore(HandClock())
    for _ in range(3):
        ask(store)
    asyncio.run(store.give_back(("a",), RULE))
    assert ask(store).allowed
    assert not ask(store).allowed
