"""The promise `trail`: a list that has an entry of each call, and ones that have none, or another's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.promises.annotations import problems
from harness.promises.catalogue import PROMISES
from harness.verdict import Status
from tests.unit.harness.promises.trail_api import PEOPLE, TOLD, Trail, document, examined

FAULTS = st.sampled_from(["", "", "", "lost", 429, 503])
NO_IDS = {**PEOPLE, "register": {"operation": "join", "body": {"name": "{name}"}}}


def without(*names: str) -> dict[str, Any]:
    """The annotation without some of its members."""
    return {name: value for name, value in TOLD.items() if name not in names}


def faults(api: Trail) -> set[tuple[str, str]]:
    """Code and kind of what is found."""
    return {(item.code, item.kind) for verdict in examined(api) for item in verdict.findings}


@given(st.sampled_from([TOLD, without("subject"), without("action")]), st.booleans(), st.integers(0, 2))
def test_kept(told: Any, filtered: Any, others: int) -> None:
    """With or without a filter, whatever an entry tells beside its caller, each operation is examined and passes."""
    verdicts = examined(Trail(told=document(told, filtered=filtered), others=others))
    assert [(verdict.status, verdict.findings) for verdict in verdicts] == [(Status.PASS, ())] * 3


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """However answers are lost or refused by a limit, a true trail has no finding."""
    assert faults(Trail(fault=lambda _request: data.draw(FAULTS))) == set()


@pytest.mark.parametrize(
    ("defect", "expected"),
    [
        ("silent addNote", {("trail.missing", "addNote")}),
        ("silent editNote", {("trail.missing", "editNote")}),
        ("silent dropNote", {("trail.missing", "dropNote")}),
        ("one word", {("trail.missing", name) for name in ("addNote", "editNote", "dropNote")}),
        ("swapped", {("trail.actor", name) for name in ("addNote", "editNote", "dropNote")}),
    ],
)
@pytest.mark.parametrize("filtered", [True, False])
def test_broken(defect: str, expected: set[tuple[str, str]], *, filtered: bool) -> None:
    """An entry that is not there, has another word or names another is found at the operation that it is of."""
    assert faults(Trail(frozenset({defect}), document(filtered=filtered))) == expected


def test_an_entry_may_be_late() -> None:
    """It is looked for once more, after as long as is told or a second; then it is missing."""
    assert faults(Trail(late=1)) == set()
    assert {code for code, _ in faults(Trail(late=2))} == {"trail.missing"}


def test_without_the_word_of_an_action_nobody_is_accused() -> None:
    """An entry of the same thing by another may be one of something else that was done to it."""
    told = without("action")
    assert {code for code, _ in faults(Trail(frozenset({"swapped"}), document(told)))} == set()


def test_a_change_of_nothing_need_leave_no_entry() -> None:
    """Where a body may have nothing, and none could be drawn for it, that is said."""
    told = document()
    told["paths"]["/notes/{id}"]["patch"]["requestBody"]["content"]["application/json"]["schema"] = {"type": "object"}
    verdicts = {item.operation: item for item in examined(Trail(told=told))}
    assert [item.findings for item in verdicts.values()] == [()]


def test_a_list_that_goes_on_tells_nothing() -> None:
    """Where others' entries fill more pages than are read, an entry that is not seen is no finding and no pass."""
    verdict, *_ = examined(Trail(frozenset({"silent addNote"}), document(filtered=False), others=40))
    assert (verdict.status, verdict.findings) == (Status.INCONCLUSIVE, ())
    assert "showed no entry of addNote" in verdict.reason


def test_a_caller_without_an_id_is_not_compared() -> None:
    """Where nobody knows who the caller is, the entry alone is asked for."""
    verdicts = examined(Trail(frozenset({"swapped"})), NO_IDS)
    assert [(verdict.status, verdict.findings) for verdict in verdicts] == [(Status.PASS, ())] * 3


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (without("actor"), '"actor" is a required property'),
        ({**TOLD, "of": []}, "[] has less than 1 item"),
        ({**TOLD, "of": [{"operation": "addPage"}]}, "'addPage', which is no operationId"),
        ({**TOLD, "within_s": 60}, "60 is greater than the maximum of 10"),
    ],
)
def test_a_wrong_annotation_is_told(told: dict[str, Any], problem: str) -> None:
    """Each names the value and the rule."""
    assert any(problem in line for line in problems(Trail(told=document(told)).contract, PROMISES))
