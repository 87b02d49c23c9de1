"""Objectives judged over measurements, without a run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.finding import Confirmation
from harness.load.measurement import Limits, measure
from harness.load.sample import Sample
from harness.promises.objective import Reading, read, settled, verdict, violations
from harness.verdict import Status

MS = 1_000_000
PROMISED = {"p95_ms": 200, "error_ratio": 0.01}


def samples(took_ms: int, *, lag_ms: int = 0, errors: int = 0) -> list[Sample]:
    """Two hundred arrivals of one operation, the first of them failing."""
    return [
        Sample("a", 500 if n < errors else 200, n * 10 * MS, (n * 10 + lag_ms) * MS, (n * 10 + lag_ms + took_ms) * MS)
        for n in range(200)
    ]


def reading(found: list[Sample], limits: Limits | None = None) -> Reading:
    """What one run of 200 planned arrivals says."""
    return read(PROMISED, "a", measure(found, planned=200, duration_s=2), limits or Limits())


GOOD, SLOW, FAILING = reading(samples(50)), reading(samples(300)), reading(samples(50, errors=10))
DOUBTFUL = Reading(None, doubt="no request was sent")


@pytest.mark.parametrize(
    ("objective", "codes"),
    [
        ({"p95_ms": 300}, []),
        ({"p95_ms": 299.9}, ["p95_ms"]),
        ({"p50_ms": 100, "p99_ms": 100, "p95_ms": 1000}, ["p50_ms", "p99_ms"]),
        ({"error_ratio": 0.05}, []),
        ({"error_ratio": 0.04}, ["error_ratio"]),
        ({}, []),
    ],
)
def test_each_member_is_judged_by_itself(objective: dict[str, float], codes: list[str]) -> None:
    """A value at its limit is kept, one above it is not, and what is not promised is not judged."""
    (measured,) = measure(samples(300, errors=10), planned=200, duration_s=2).operations
    assert [violation.member for violation in violations(objective, measured)] == codes


def test_a_late_generator_explains_its_own_latency() -> None:
    """Where only the generator's lag lifts p95 above its limit the run says nothing, and is no failure."""
    loose = Limits(max_lag_p99_ms=1000)
    told = reading(samples(50, lag_ms=300), loose)
    assert told.violations == ()
    assert "the machine is too busy" in told.doubt
    assert reading(samples(300, lag_ms=300), loose).violations
    assert "bottleneck" in reading(samples(50, lag_ms=300)).doubt


def test_what_was_not_sent_or_not_served_is_not_judged() -> None:
    """Nothing sent, another operation only, and nothing but refusals each leave a doubt."""
    assert reading([]).doubt == "no request was sent"
    other = [sample._replace(operation="b") for sample in samples(5)]
    assert "did not send this operation" in reading(other).doubt
    refused = [sample._replace(status=429, expected=False) for sample in samples(5)]
    assert "refused with a 4xx" in reading(refused).doubt


@pytest.mark.parametrize(
    ("readings", "status", "done"),
    [
        ([GOOD], Status.PASS, True),
        ([SLOW], Status.INCONCLUSIVE, False),
        ([SLOW, SLOW], Status.FAIL, True),
        ([SLOW, GOOD], Status.INCONCLUSIVE, False),
        ([SLOW, GOOD, GOOD], Status.PASS, True),
        ([GOOD, GOOD, SLOW], Status.PASS, True),
        ([SLOW, GOOD, SLOW], Status.FAIL, True),
        ([DOUBTFUL, GOOD], Status.PASS, True),
        ([DOUBTFUL, DOUBTFUL, DOUBTFUL], Status.INCONCLUSIVE, False),
        ([DOUBTFUL, FAILING, FAILING], Status.FAIL, True),
        ([SLOW, FAILING], Status.INCONCLUSIVE, True),
        ([], Status.INCONCLUSIVE, False),
    ],
)
def test_a_verdict_takes_two_runs_to_fail_and_a_majority_to_pass(
    readings: list[Reading], status: Status, done: object
) -> None:
    """One run that breaks the promise is not enough; runs that disagree are settled by another."""
    told = verdict("a", readings)
    assert told.status is status
    assert settled(readings) is done
    assert bool(told.reason) is (status is Status.INCONCLUSIVE)


@given(st.lists(st.sampled_from([GOOD, SLOW, FAILING, DOUBTFUL]), max_size=6))
def test_a_finding_was_seen_twice_and_a_pass_held_once(readings: list[Reading]) -> None:
    """No mix of runs passes without one that held, or fails without two that broke the same member."""
    told = verdict("a", readings)
    if told.status is Status.PASS:
        assert GOOD in readings
    for finding in told.findings:
        broke = [item for item in readings if finding.kind in {one.member for one in item.violations}]
        assert len(broke) >= 2
        assert finding.confirmation is Confirmation.CONFIRMED


def test_a_finding_tells_both_values_and_its_witnesses() -> None:
    """What was promised and seen is a sentence with units; the exchanges that show it are named."""
    told = verdict("a", [SLOW, SLOW], {"seed": 3}, {"objective.latency": ("load-1-2",)})
    (finding,) = told.findings
    assert (finding.code, finding.kind, finding.witnesses) == ("objective.latency", "p95_ms", ("load-1-2",))
    assert finding.promised == "p95 is at most 200.0 ms"
    assert finding.seen == "p95 was 300.0 ms and 300.0 ms in 2 runs"
    assert finding.reproduction.parameters == {"driver": "load", "operation": "a", "seed": 3}
    (failing,) = verdict("a", [FAILING, FAILING]).findings
    assert (failing.code, failing.seen) == ("objective.errors", "error ratio was 5.00% and 5.00% in 2 runs")
