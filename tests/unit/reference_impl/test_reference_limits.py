"""The limiters, in memory and in Redis, against a pure model of the sliding window."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impl.stores.limits import Decision, Rule
from reference_impl.stores.memory.limits import MemoryLimits
from reference_impl.stores.redis.limits import RedisLimits

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.stores.limits import Limits
    from reference_impl.stores.redis.server import Server

ROOT = Path(__file__).parents[3]
RULE = Rule("r", 3, 4.0)


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        """Return the time it was set to."""
        return self.now_s


class Kept:
    """A kind of limits: fresh ones with a clock, on one loop."""

    def __init__(self, runner: asyncio.Runner, server: Server | None) -> None:
        self.runner = runner
        self._server = server

    def fresh(self) -> tuple[Limits, HandClock]:
        """Return limits that have counted nothing, and their clock."""
        clock = HandClock()
        if self._server is None:
            return MemoryLimits(clock), clock
        self.runner.run(self._server.call("FLUSHALL"))
        return RedisLimits(self._server, clock), clock


@pytest.fixture(scope="module", params=["memory", pytest.param("redis", marks=pytest.mark.slow)])
def kept(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Kept:
    """Limits in memory, and in Redis."""
    return Kept(runner, None if request.param == "memory" else request.getfixturevalue("open_server")())


def ask(kept: Kept, limits: Limits, key: str = "a", rule: Rule = RULE) -> Decision:
    """Take once."""
    return kept.runner.run(limits.take((key,), rule))


STEPS = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from("ab"), st.sampled_from(["take", "take", "take", "back"])),
    max_size=40,
)


@settings(deadline=None)
@given(STEPS, st.integers(1, 4))
def test_admissions_are_those_of_the_model(kept: Kept, steps: list[tuple[int, str, str]], quota: int) -> None:
    """For any schedule, admitted is who finds fewer than the quota in the half-open window before."""
    limits, clock = kept.fresh()
    rule = Rule("r", quota, 4.0)
    admitted: dict[str, list[tuple[float, Decision]]] = {"a": [], "b": []}
    for quarter_seconds, key, step in steps:
        clock.now_s += quarter_seconds / 4
        if step == "back":
            if admitted[key]:
                kept.runner.run(limits.give_back((key,), rule, admitted[key].pop(0)[1]))
            continue
        window = [at for at, _ in admitted[key] if at > clock.now_s - 4.0]
        decision = ask(kept, limits, key, rule)
        assert decision.allowed == (len(window) < quota)
        if decision.allowed:
            admitted[key].append((clock.now_s, decision))
            window.append(clock.now_s)
        assert decision.remaining == quota - len(window)
        assert decision.reset_s == window[0] + 4.0 - clock.now_s


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 50), st.integers(1, 20))
def test_concurrent_takes_never_pass_the_quota(kept: Kept, callers: int, quota: int) -> None:
    """However many ask at once, exactly the quota is admitted."""
    limits, _ = kept.fresh()
    rule = Rule("r", quota, 4.0)

    async def together() -> list[Decision]:
        return await asyncio.gather(*[limits.take(("a",), rule) for _ in range(callers)])

    assert sum(decision.allowed for decision in kept.runner.run(together())) == min(callers, quota)


def test_after_the_reset_one_is_admitted_and_not_before(kept: Kept) -> None:
    """`reset_s` is the truth: refused just before it, admitted at it."""
    limits, clock = kept.fresh()
    for _ in range(3):
        ask(kept, limits)
    refused = ask(kept, limits)
    assert (refused.allowed, refused.reset_s) == (False, 4.0)
    clock.now_s += 3.9
    assert not ask(kept, limits).allowed
    clock.now_s = 104.0
    assert ask(kept, limits).allowed


def test_keys_and_rules_are_counted_apart(kept: Kept) -> None:
    """No two keys share a log, however their parts are spelled."""
    limits, _ = kept.fresh()
    one = Rule("r", 1, 4.0)
    keys = [("a", "b"), ("a:b",), ("a", "b", ""), ("a%3Ab",), ("ä", "b")]
    assert [kept.runner.run(limits.take(key, one)).allowed for key in keys] == [True] * len(keys)
    assert kept.runner.run(limits.take(keys[0], Rule("other", 1, 4.0))).allowed
    assert not kept.runner.run(limits.take(keys[0], one)).allowed


def test_a_given_back_admission_did_not_count(kept: Kept) -> None:
    """`give_back` frees the place that was taken, and is harmless when its window is over."""
    limits, clock = kept.fresh()
    taken = [ask(kept, limits) for _ in range(3)]
    kept.runner.run(limits.give_back(("a",), RULE, taken[1]))
    assert ask(kept, limits).allowed
    assert not ask(kept, limits).allowed
    clock.now_s += 5
    assert ask(kept, limits).allowed
    kept.runner.run(limits.give_back(("a",), RULE, taken[0]))
    assert ask(kept, limits).remaining == 1


def test_headers_are_never_below_the_truth() -> None:
    """Whole seconds are rounded up."""
    decision = Decision(allowed=False, quota=1, remaining=0, reset_s=0.2)
    assert decision.reset_delta() == 1
    assert decision.reset_epoch(1000.9) == 1002


@pytest.mark.slow
def test_a_clock_set_back_admits_nobody_early(runner: asyncio.Runner, open_server: Callable[[], Server]) -> None:
    """In Redis time never falls within a log: old admissions leave late, not early."""
    kept = Kept(runner, open_server())
    limits, clock = kept.fresh()
    assert [ask(kept, limits).allowed for _ in range(3)] == [True] * 3
    clock.now_s = 50.0
    assert ask(kept, limits).reset_s == 4.0
    clock.now_s = 103.9
    assert not ask(kept, limits).allowed
    clock.now_s = 104.0
    assert ask(kept, limits).allowed


@pytest.mark.slow
def test_a_log_in_redis_ends_with_its_window(runner: asyncio.Runner, open_server: Callable[[], Server]) -> None:
    """Its end of life is set in the same step as its admission, so nobody is locked out for good (S09)."""
    server = open_server()
    limits = RedisLimits(server)
    runner.run(limits.take(("a",), RULE))
    names = runner.run(server.call("KEYS", server.name("limit", ("r", "a"))))
    assert 3900 <= runner.run(server.call("PTTL", names[0])) <= 4001


@pytest.mark.slow
def test_a_redis_whose_memory_ends_forgets_nobody(runner: asyncio.Runner, open_server: Callable[[], Server]) -> None:
    """With compose.yaml's policy what was counted stays counted, and counting goes on."""
    server = open_server()
    limits, rule = RedisLimits(server, HandClock()), Rule("r", 1, 60.0)
    policy = re.search(r'"--maxmemory-policy", "(\w[\w-]*)"', (ROOT / "compose.yaml").read_text())
    assert policy is not None

    async def full() -> None:
        assert (await limits.take(("a",), rule)).allowed
        await server.call("CONFIG", "SET", "maxmemory-policy", policy[1])
        await server.call("CONFIG", "SET", "maxmemory", "1")
        try:
            for caller in ("a", "b"):
                await limits.take((caller,), rule)
                assert not (await limits.take((caller,), rule)).allowed
        finally:
            await server.call("CONFIG", "SET", "maxmemory", "0")

    runner.run(full())
