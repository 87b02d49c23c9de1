"""The phases of a verification, as far as they decide something without a target."""

from __future__ import annotations

from harness.finding import Finding, Severity
from harness.phases import _one_of_each_first


def test_one_of_each_kind_is_shown_again_before_a_second_of_any() -> None:
    """A fault that a hundred operations share does not use up the time of the others."""
    codes = ["a", "a", "a", "b", "b", "c"]
    findings = [Finding(code, code, Severity.LOW, str(number)) for number, code in enumerate(codes)]
    assert [finding.operation for finding in _one_of_each_first(findings)] == ["0", "3", "5", "1", "4", "2"]
