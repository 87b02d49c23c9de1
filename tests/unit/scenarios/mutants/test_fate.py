"""A kill is a finding and nothing else; the share counts all that started."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.exits import Exit
from scenarios.mutants.__main__ import filled
from scenarios.mutants.fate import Fate, Sample, Trial, fate_of
from scenarios.mutants.mutant import Mutant

if TYPE_CHECKING:
    from collections.abc import Callable


def mutant(number: int) -> Mutant:
    """A mutant that can be told from others."""
    return Mutant("a.py", number, "constant", 0, 1, "0", "1")


def test_findings_kill_and_nothing_else_does() -> None:
    """Of all documented endings one is a kill and one a survival; the rest, and a run without an end, are unknown."""
    fates = {code: fate_of(code) for code in Exit}
    assert fates.pop(Exit.FINDINGS) is Fate.KILLED
    assert fates.pop(Exit.HOLDS) is Fate.SURVIVED
    assert {*fates.values(), fate_of(None), fate_of(-9), fate_of(137)} == {Fate.UNKNOWN}


@given(st.lists(st.sampled_from(Fate)))
def test_the_share_is_of_what_started(fates: list[Fate]) -> None:
    """An unknown counts as not killed, one that did not start does not count."""
    sample = Sample(1, tuple(Trial(mutant(at), fate, "", 1.0) for at, fate in enumerate(fates)))
    started = [fate for fate in fates if fate is not Fate.DISCARDED]
    assert sample.judged == len(started)
    assert sample.percent == (100 * started.count(Fate.KILLED) / len(started) if started else 0)
    record = sample.to_record()
    assert sum(record[fate.name.lower()] for fate in Fate) == len(record["trials"]) == len(fates)


@pytest.mark.parametrize("jobs", [1, 3])
@given(st.lists(st.sampled_from(Fate), max_size=12), st.integers(1, 8))
def test_what_does_not_start_is_replaced(jobs: int, fates: list[Fate], count: int) -> None:
    """The next in order takes its place until enough started or none is left, and never more than enough are tried."""
    trials = filled(count, jobs, iter([mutant(at) for at in range(len(fates))]), at_once(fates))
    assert [trial.mutant.line for trial in trials] == list(range(len(trials)))
    assert [trial.fate for trial in trials] == fates[: len(trials)]
    started = sum(trial.fate is not Fate.DISCARDED for trial in trials)
    assert started == min(count, sum(fate is not Fate.DISCARDED for fate in fates))


def at_once(fates: list[Fate]) -> Callable[[Mutant], Future[Trial]]:
    """What tries a mutant by looking its fate up."""

    def submit(tried: Mutant) -> Future[Trial]:
        future: Future[Trial] = Future()
        future.set_result(Trial(tried, fates[tried.line], "", 0.0))
        return future

    return submit


def test_no_more_run_at_a_time_than_jobs() -> None:
    """Two at a time are two at a time."""
    together, most, lock, both = 0, 0, threading.Lock(), threading.Barrier(2, timeout=10)

    def tried(one: Mutant) -> Trial:
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
        both.wait()
        with lock:
            together -= 1
        return Trial(one, Fate.KILLED, "", 0.0)

    with ThreadPoolExecutor(4) as pool:
        filled(6, 2, iter(map(mutant, range(9))), lambda one: pool.submit(tried, one))
    assert most == 2
