"""A finding's fingerprint, its severity and its record."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from harness.finding import Confirmation, Finding, Reproduction, Severity

FOUND = Finding(
    code="roles.anonymous-allowed",
    title="Anyone may delete a product",
    severity=Severity.CRITICAL,
    operation="products.delete",
    kind="anonymous",
    promised="anonymous gets 401",
    seen="204",
    witnesses=("x-1", "x-2"),
    reproduction=Reproduction("roles/products.delete/anonymous", {"role": "anyone"}, ({"method": "DELETE"},)),
    confirmation=Confirmation.CONFIRMED,
)


def test_the_same_fault_has_the_same_fingerprint() -> None:
    """What was seen, by whom and how often does not change which fault it is."""
    other = replace(FOUND, seen="200", witnesses=("y-9",), title="", confirmation=Confirmation.SEEN_ONCE)
    assert other.fingerprint == FOUND.fingerprint


@given(st.sampled_from(["code", "operation", "kind"]), st.text(min_size=1))
def test_another_code_operation_or_kind_is_another_fault(member: str, more: str) -> None:
    """Code, operation and kind each tell faults apart."""
    record = FOUND.to_record()
    other = Finding.from_record(record | {member: record[member] + more})
    assert other.fingerprint != FOUND.fingerprint


def test_a_record_gives_the_finding_back() -> None:
    """A finding written as a line of JSON is read back whole."""
    assert Finding.from_record(json.loads(json.dumps(FOUND.to_record()))) == FOUND


def test_severities_are_ranked_worst_first() -> None:
    """--fail-on takes in a severity and every worse one."""
    wanted = [severity for severity in Severity if severity.at_least(Severity.HIGH)]
    assert wanted == [Severity.CRITICAL, Severity.HIGH]
