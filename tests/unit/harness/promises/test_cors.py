"""The promise `cors`: an API that lets one origin read, and ones that let others."""

from __future__ import annotations

import pytest

from harness.finding import Severity
from harness.promises.cors import PROMISE
from tests.unit.harness.promises.gate_api import SHOP, Gate, document, examined, faults

DECLARED = document(cors={"origins": [SHOP], "credentials": True})
CAUGHT = {
    "reflects": {("cors.foreign-origin", "reflected"), ("cors.foreign-origin", "null")},
    "null": {("cors.foreign-origin", "null")},
    "prefix": {("cors.foreign-origin", "like a declared one")},
    "star": {("cors.any-origin", "with credentials")},
    "first": {("cors.foreign-origin", "another's")},
    "refuses": {("cors.refused", "preflight"), ("cors.refused", "simple")},
    "no vary": {("cors.vary", "")},
}


def kinds(gate: Gate) -> set[tuple[str, str]]:
    """Code and kind of what is found at any operation."""
    return {(code, kind) for code, _, kind in faults(examined(PROMISE, gate))}


def test_an_api_that_lets_one_origin_read_has_no_findings() -> None:
    """Every operation is asked, and nothing is found."""
    verdicts = examined(PROMISE, Gate(told=DECLARED))
    assert (faults(verdicts), [verdict.operation for verdict in verdicts if not verdict.examined]) == (set(), [])


@pytest.mark.parametrize("defect", CAUGHT)
def test_a_wrong_answer_is_found(defect: str) -> None:
    """Each way to let a foreign origin read, or to refuse the declared one, is found."""
    found = kinds(Gate(frozenset({defect}), told=DECLARED))
    assert found >= CAUGHT[defect]
    assert defect == "reflects" or found == CAUGHT[defect]


def test_without_a_declaration_only_what_no_api_means_is_found() -> None:
    """A reflected origin with credentials is found; an API that sends nothing, or its one origin, is let be."""
    assert kinds(Gate(told=document())) == set()
    assert kinds(Gate(frozenset({"first"}), told=document())) == set()
    assert kinds(Gate(frozenset({"star"}), told=document())) == {("cors.any-origin", "with credentials")}
    findings = [f for v in examined(PROMISE, Gate(frozenset({"reflects"}), told=document())) for f in v.findings]
    assert {item.severity for item in findings} == {Severity.HIGH}


def test_it_can_be_switched_off() -> None:
    """`cors: false` leaves the API alone."""
    assert examined(PROMISE, Gate(frozenset({"reflects"}), told=document(cors=False))) == []
