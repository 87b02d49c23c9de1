"""A verdict's status, and several verdicts made one."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from harness.finding import Confirmation, Finding, Severity
from harness.verdict import Status, Verdict, merged

FOUND = Finding("envelope.shape", "No envelope", Severity.LOW, "products.get")
VERDICTS = st.builds(
    Verdict,
    promise=st.sampled_from(["roles", "owner"]),
    operation=st.sampled_from(["a", "b"]),
    examined=st.integers(0, 9),
    findings=st.lists(st.builds(replace, st.just(FOUND), kind=st.sampled_from("xyz")), max_size=3).map(tuple),
    reason=st.sampled_from(["", "no identity", "no answer"]),
)


@given(VERDICTS)
def test_pass_needs_something_examined(verdict: Verdict) -> None:
    """A verdict without findings passes only where something was examined and nothing stood in the way."""
    expected = (
        Status.FAIL
        if verdict.findings
        else Status.PASS
        if verdict.examined and not verdict.reason
        else Status.INCONCLUSIVE
    )
    assert verdict.status is expected


@given(VERDICTS)
def test_a_record_gives_the_verdict_back(verdict: Verdict) -> None:
    """A verdict written as a line of JSON is read back whole."""
    assert Verdict.from_record(json.loads(json.dumps(verdict.to_record()))) == verdict


@given(st.lists(VERDICTS))
def test_merging_loses_no_observation_and_no_fault(verdicts: list[Verdict]) -> None:
    """Merged verdicts stand once a promise and operation, with all observations, and each fault once."""
    joined = merged(verdicts)
    keys = [(verdict.promise, verdict.operation) for verdict in joined]
    assert len(set(keys)) == len(keys)
    assert sum(verdict.examined for verdict in joined) == sum(verdict.examined for verdict in verdicts)
    for verdict in joined:
        same = [other for other in verdicts if (other.promise, other.operation) == (verdict.promise, verdict.operation)]
        found = [finding.fingerprint for finding in verdict.findings]
        assert sorted(set(found)) == sorted({finding.fingerprint for other in same for finding in other.findings})
        if len(same) > 1:
            assert len(set(found)) == len(found)


def test_a_confirmed_finding_outweighs_one_seen_once() -> None:
    """Where one driver confirmed a fault that another saw once, the merged verdict says confirmed, in either order."""
    once = Verdict("envelope", "products.get", 1, (FOUND,))
    sure = replace(once, findings=(replace(FOUND, confirmation=Confirmation.CONFIRMED),))
    for order in ([once, sure], [sure, once]):
        assert [finding.confirmation for finding in merged(order)[0].findings] == [Confirmation.CONFIRMED]
