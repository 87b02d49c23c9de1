"""The promise `sort`: the order that was asked for, over all pages, with one place for what is equal."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Contract
from harness.promises.sort import ANNOTATION, PROMISE
from harness.promises.sort.model import broken
from harness.promises.sort.orders import Order, orders
from harness.verdict import Status
from tests.unit.harness.promises.beach_api import Beach, examined, faults
from tests.unit.harness.promises.beach_document import SORT, document

STYLES = ["page", "offset", "cursor", "link"]
FAULTS = st.sampled_from(["", "", "", "", "lost", 429, 503])
NUMBERS = st.lists(st.one_of(st.integers(-(2**60), 2**60), st.floats(-1e9, 1e9)), max_size=12)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(STYLES), st.integers(0, 30), st.booleans(), st.integers(1, 99))
def test_kept(style: str, others: int, filters: bool, seed: int) -> None:  # noqa: FBT001 - drawn
    """A correct list of any style and length passes, narrowed by a filter or not."""
    told = document(style, filters=filters, sort=SORT)
    verdict = examined(PROMISE, Beach(style=style, others=others, told=told), seed=seed)
    assert (verdict.findings, verdict.reason, verdict.status) == ((), "", Status.PASS)
    assert verdict.examined > 60


def test_a_number_may_be_null() -> None:
    """A list is planted and walked by a member of which the schema says that it may be null."""
    told = document(sort=SORT)
    kinds = json.loads(json.dumps(told).replace('"type": "integer"', '"type": ["integer", "null"]'))
    assert kinds != told
    verdict = examined(PROMISE, Beach(others=3, told=kinds))
    assert (verdict.findings, verdict.reason, verdict.status) == ((), "", Status.PASS)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """However answers are lost or refused by a limit, a correct list has no finding."""
    beach = Beach(style=data.draw(st.sampled_from(STYLES)), others=3, fault=lambda _request: data.draw(FAULTS))
    assert examined(PROMISE, beach).findings == ()


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(["page", "cursor"]), st.booleans(), st.data())
def test_others_may_make_things(style: str, filters: bool, data: st.DataObject) -> None:  # noqa: FBT001 - drawn
    """What others make meanwhile is no fault of the order, nor what comes twice because of them."""

    def meanwhile(beach: Beach) -> None:
        if data.draw(st.booleans()):
            beach.add({"name": "another's", "boxId": "b0", "weight": data.draw(st.integers(0, 200))})

    told = document(style, filters=filters, sort={**SORT, "keys": {"weight": "/weight"}})
    assert examined(PROMISE, Beach(style=style, others=9, meanwhile=meanwhile, told=told)).findings == ()


@pytest.mark.parametrize("filters", [True, False])
@pytest.mark.parametrize(
    ("defect", "expected"),
    [
        ("sorts as text", {"sort.order"}),
        ("always down", {"sort.order"}),
        ("oldest first", {"sort.order"}),
        ("sorts each page", {"sort.order"}),
        ("any sort", {"sort.unknown"}),
    ],
)
def test_broken(defect: str, expected: set[str], filters: bool) -> None:  # noqa: FBT001 - a parameter
    """Each defect is found under its code, in a narrowed list and in a whole one."""
    beach = Beach(frozenset({defect}), others=8, told=document(filters=filters, sort=SORT))
    assert expected <= faults(examined(PROMISE, beach)) <= expected | {"sort.pages", "sort.ties"}


@pytest.mark.parametrize(("defect", "expected"), [("skips one", "sort.pages"), ("overlaps", "sort.pages")])
def test_pages_of_a_sorted_list(defect: str, expected: str) -> None:
    """A thing that falls between two pages of a sorted list, or is on both, is found."""
    assert faults(examined(PROMISE, Beach(frozenset({defect}), others=8))) == {expected}


def test_equal_things_in_any_order() -> None:
    """A list that orders equal things anew each time loses some, repeats some, or tells another sequence."""
    found = faults(examined(PROMISE, Beach(frozenset({"ties shuffled"}), others=8)))
    assert found
    assert found <= {"sort.pages", "sort.ties"}


@pytest.mark.parametrize(
    ("told", "order", "expected"),
    [
        ({"by": "s"}, Order("w", "/w", descending=True), (("s", "-w"),)),
        ({"by": "s", "descending": "{key}:desc"}, Order("w", "/w", descending=True), (("s", "w:desc"),)),
        ({"by": "s", "direction": "d"}, Order("w", "/w", descending=False), (("s", "w"), ("d", "asc"))),
    ],
)
def test_forms_of_an_order(told: dict[str, Any], order: Order, expected: tuple[tuple[str, str], ...]) -> None:
    """An order is told by a sign, a suffix or a parameter of its own, and is read back from a request."""
    contract = Contract.read(document(sort={"keys": {"w": "/w"}, **told}), "beach")
    found = orders(contract, contract.by_id["pebbles.list"])
    assert found is not None
    assert found.query(order) == expected
    assert found.asked(dict(expected)) == order


@given(NUMBERS, st.booleans())
def test_sorted_numbers_are_in_order(values: list[Any], descending: bool) -> None:  # noqa: FBT001 - drawn
    """What is sorted is in order; what is not is broken where it first falls."""
    ordered = sorted(values, reverse=descending)
    assert broken(ordered, descending=descending) is None
    at = broken(values, descending=descending)
    falls = [
        i for i in range(len(values) - 1) if (values[i] < values[i + 1] if descending else values[i] > values[i + 1])
    ]
    assert at == (falls[0] if falls else None)


@given(
    st.lists(st.text(max_size=6), max_size=8),
    st.sampled_from([str, str.casefold, lambda text: (text.casefold(), text)]),
)
def test_any_collation_of_texts_is_an_order(values: list[str], collation: Any) -> None:
    """Texts sorted by their characters or by folded ones are in order."""
    assert broken(sorted(values, key=collation), descending=False) is None


@given(st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=8))
def test_nulls_stand_where_it_is_told(values: list[int | None]) -> None:
    """Nulls come first or last as told; where nothing is told they may stand anywhere."""
    held = sorted(value for value in values if value is not None)
    nulls = [None] * (len(values) - len(held))
    assert broken([*nulls, *held], descending=False, nulls="first") is None
    assert broken([*held, *nulls], descending=False, nulls="last") is None
    assert (broken([*held, *nulls], descending=False, nulls="first") is None) == (not held or not nulls)
    assert broken([*held, *nulls], descending=False) is None


def test_times_are_instants() -> None:
    """Two writings of times are compared as the instants that they are."""
    values = ["2026-01-01T01:00:00+01:00", "2026-01-01T00:30:00Z"]
    assert broken(values, descending=False) is None
    assert broken(values, descending=True) == 0


@pytest.mark.parametrize("wrong", [{}, {"keys": {}}, {"keys": {"w": "w"}}, {"keys": {"w": "/w"}, "direction": "d"}])
def test_a_wrong_annotation_is_refused(wrong: dict[str, Any]) -> None:
    """An annotation without keys, with a key that points nowhere, or a direction without `by` is no annotation."""
    assert not jsonschema_rs.Draft202012Validator(dict(ANNOTATION)).is_valid(wrong)
