"""The promise `filter`: sound, complete, literal, with totals of the same filter."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.promises.filter import ANNOTATION, PROMISE
from harness.promises.filter.model import fulfils, holds
from harness.promises.filter.rules import Rule
from harness.verdict import Status
from tests.unit.harness.promises.beach_api import Beach, examined, faults
from tests.unit.harness.promises.beach_document import FILTER, document

STYLES = ["page", "offset", "cursor", "link"]
FAULTS = st.sampled_from(["", "", "", "", "lost", 429, 503])
ONLY = FILTER["parameters"]


def alone(*names: str) -> dict[str, Any]:
    """The document with these filters only."""
    return document(filter={"parameters": {name: ONLY[name] for name in names}})


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(STYLES), st.integers(0, 40), st.integers(1, 99))
def test_kept(style: str, others: int, seed: int) -> None:
    """A correct list of any style and length passes, and each filter is examined."""
    beach = Beach(style=style, others=others)
    verdict = examined(PROMISE, beach, seed=seed)
    assert (verdict.findings, verdict.reason, verdict.status) == ((), "", Status.PASS)
    assert verdict.examined > 60


@pytest.mark.parametrize("name", ONLY)
def test_a_single_filter_is_enough(name: str) -> None:
    """A list that no other filter narrows is examined too."""
    verdict = examined(PROMISE, Beach(others=5, told=alone(name)))
    assert (verdict.findings, verdict.reason, verdict.status) == ((), "", Status.PASS)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """However answers are lost or refused by a limit, a correct list has no finding."""
    beach = Beach(style=data.draw(st.sampled_from(STYLES)), others=3, fault=lambda _request: data.draw(FAULTS))
    assert examined(PROMISE, beach).findings == ()


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(STYLES), st.data())
def test_others_may_make_things(style: str, data: st.DataObject) -> None:
    """What others make meanwhile is no fault of the filter."""

    def meanwhile(beach: Beach) -> None:
        if data.draw(st.booleans()):
            beach.add({"name": "another's 5%", "boxId": "b0", "weight": 10})

    assert faults(examined(PROMISE, Beach(style=style, others=9, meanwhile=meanwhile))) <= {"filter.total"}


@pytest.mark.parametrize(
    ("defect", "expected"),
    [
        ("ignores filters", {"filter.unfit"}),
        ("unlisted", {"filter.missing"}),
        ("wildcards", {"filter.unfit"}),
        ("begins", {"filter.missing"}),
        ("case counts", {"filter.missing"}),
        ("quote refused", {"filter.refused"}),
        ("min excludes", {"filter.missing"}),
        ("compares as text", {"filter.missing", "filter.unfit"}),
        ("total unfiltered", {"filter.total"}),
        ("first of many", {"filter.missing"}),
        ("unknown is all", {"filter.unfit"}),
        ("filters are or", {"filter.unfit"}),
        ("index stays", {"filter.unfit", "filter.missing"}),
    ],
)
def test_broken(defect: str, expected: set[str]) -> None:
    """Each defect is found under its code, and under no other but of what follows from it."""
    found = faults(examined(PROMISE, Beach(frozenset({defect}), others=9)))
    assert expected <= found <= expected | {"filter.total", "filter.missing"}


def test_the_fault_is_told_of_its_parameter() -> None:
    """A finding names the parameter that does not do what it should."""
    verdict = examined(PROMISE, Beach(frozenset({"wildcards"}), others=9))
    assert {(finding.code, finding.kind) for finding in verdict.findings} == {("filter.unfit", "search")}


def test_letter_case_is_free_where_nothing_is_told_of_it() -> None:
    """Without `fold` a search may fold letters or not."""
    for defect in ("case counts", ""):
        told = document(filter={"parameters": {**ONLY, "search": {"operator": "contains", "members": ["/name"]}}})
        assert examined(PROMISE, Beach(frozenset({defect}), others=5, told=told)).findings == ()


@given(st.text(max_size=12), st.text(max_size=12), st.booleans())
def test_containing_is_literal(text: str, value: str, fold: bool) -> None:  # noqa: FBT001 - drawn
    """A text that holds another does so whatever its signs; one that folds alike does so where folding is promised."""
    rule = Rule("q", "contains", ("/name",), fold=fold)
    verdict = holds(rule, text, {"name": value})
    assert text not in value or verdict is True
    assert not (verdict is True and not fold) or text in value
    assert verdict is not True or text.casefold() in value.casefold()


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_numbers_are_compared_as_numbers(value: int, bound: int) -> None:
    """Bounds hold as numbers do, also where one is written with decimals."""
    for text in (str(bound), f"{bound}.0"):
        verdicts = [holds(Rule("w", name, ("/w",)), text, {"w": value}) for name in ("min", "max", "above", "below")]
        assert verdicts == [value >= bound, value <= bound, value > bound, value < bound]


@pytest.mark.parametrize(
    ("operator", "text", "value", "expected"),
    [
        ("equals", "true", True, True),
        ("equals", "1", True, False),
        ("equals", "10.0", 10, True),
        ("equals", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00Z", True),
        ("min", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", False),
        ("equals", "a", "A", None),
        ("equals", "", "", None),
        ("equals", "a", None, False),
        ("equals", "a", ["b", "a"], True),
        ("in", "a,b", "b", True),
        ("in", "a,b", "ab", False),
        ("min", "a", "b", None),
        ("contains", "", None, True),
        ("contains", "a", 5, None),
    ],
)
def test_kinds_of_values(operator: str, text: str, value: Any, expected: bool | None) -> None:  # noqa: FBT001 - a parameter
    """Texts are read as the kind of value they are compared with; what is not told is left open."""
    assert holds(Rule("q", operator, ("/v",)), text, {"v": value}) is expected


def test_what_an_item_does_not_show_is_left_open() -> None:
    """A member that is hidden from the caller may fulfil the filter; one that breaks another rule decides."""
    rules = [Rule("q", "contains", ("/name", "/email")), Rule("w", "min", ("/w",))]
    assert fulfils(rules, {"q": "x"}, {"name": "y"}) is None
    assert fulfils(rules, {"q": "x", "w": "5"}, {"name": "y", "w": 4}) is False
    assert fulfils(rules, {}, {"name": "y"}) is True


@pytest.mark.parametrize(
    "wrong", [{}, {"parameters": {}}, {"parameters": {"q": {"operator": "like", "members": ["/n"]}}}]
)
def test_a_wrong_annotation_is_refused(wrong: dict[str, Any]) -> None:
    """An annotation without a parameter, or with an operator that is not known, is no annotation."""
    assert not jsonschema_rs.Draft202012Validator(dict(ANNOTATION)).is_valid(wrong)
