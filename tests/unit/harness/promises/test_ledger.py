from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from shop_sim import CONTRACT, LEDGER, Shop, examined

from harness.promises.ledger import PROMISE
from harness.promises.ledger.cases import case_of, cases, strategy
from harness.promises.ledger.model import init, is_sum_of, left, restore, step

OPERATION = CONTRACT.by_id["orders.create"]
PROGRAMS = strategy(CONTRACT, OPERATION)


def found(defect: str, *, seeds: int = 3) -> set[tuple[str, str]]:
    """What all cases of a run find in a shop with a defect, with several seeds."""
    return {
        (finding.code, finding.kind)
        for seed in range(seeds)
        for case in cases(CONTRACT, OPERATION, Random(seed))
        for finding in examined(Shop(defect, random=Random(seed)), case, seed=seed)[0].findings
    }


@settings(max_examples=150, deadline=None)
@given(program=PROGRAMS, lost=st.sampled_from([0.0, 0.0, 0.3, 1.0]), busy=st.booleans(), seed=st.integers(0, 1000))
def test_a_correct_shop_gives_no_finding(program: dict[str, Any], lost: float, seed: int, *, busy: bool) -> None:
    """Whatever the program, the interleaving and the answers that are lost, a correct shop is not blamed.

    One that is `busy` refuses all but one of the calls that come at once.
    """
    shop = Shop(random=Random(seed), lost=lost, busy=busy)
    verdict, driven = examined(shop, case_of(CONTRACT, OPERATION, program), seed=seed)
    assert driven.reason == ""
    assert verdict.findings == ()


@settings(max_examples=60, deadline=None)
@given(
    stock=st.integers(0, 5),
    draws=st.lists(st.lists(st.tuples(st.sampled_from("ab"), st.integers(-1, 4)), min_size=1, max_size=3), max_size=8),
)
def test_the_model_never_goes_below_zero_and_gives_back_what_it_took(
    stock: int, draws: list[list[tuple[str, int]]]
) -> None:
    """The model conserves: what was taken and is given back leaves what there was, and nothing is ever below zero."""
    state = first = init({"a": Decimal(stock), "b": Decimal(stock)})
    taken = []
    for draw in draws:
        lines = tuple((key, Decimal(quantity)) for key, quantity in draw)
        state, happened = step(state, lines)
        assert min(state.values()) >= 0
        if happened:
            taken.append(lines)
    for lines in taken:
        state = restore(state, lines)
    assert state == first
    assert left(Decimal(stock), "a", []) == (stock, stock)


@pytest.mark.parametrize(
    ("defect", "expected"),
    [
        ("race", "ledger.overdrawn"),
        ("negative", "ledger.not-conserved"),
        ("zero", "ledger.not-conserved"),
        ("fraction", "ledger.not-conserved"),
        ("twice", "ledger.overdrawn"),
        ("partial", "ledger.partial"),
        ("price", "ledger.amount"),
        ("total", "ledger.amount"),
        ("free", "ledger.amount"),
        ("cut", "ledger.amount"),
        ("refusal", "ledger.refusal"),
        ("restores", "ledger.not-conserved"),
        ("lost", "ledger.not-conserved"),
        ("first", "ledger.not-conserved"),
    ],
)
def test_each_defect_is_found(defect: str, expected: str) -> None:
    """Each way to break a ledger gives its code, by the cases of an ordinary run."""
    assert expected in {code for code, _ in found(defect)}


def test_what_is_not_given_back_is_no_part_that_a_refused_draw_took() -> None:
    """Where a lack is as much as was given back, refused draws that could explain it too are not blamed."""
    assert "ledger.partial" not in {code for code, _ in found("first")}


def test_one_key_twice_is_told_apart() -> None:
    """A draw that names one key twice and passes the check twice has a kind of its own."""
    assert ("ledger.overdrawn", "one key twice") in found("twice", seeds=1)


def test_a_price_that_the_client_sent_is_told_apart() -> None:
    """An amount that follows what the client sent has a kind of its own."""
    assert found("price", seeds=1) == {("ledger.amount", "client's price")}
    assert found("total", seeds=1) == {("ledger.amount", "client's price")}


def test_a_correct_shop_passes_with_something_examined() -> None:
    """The told cases pass on a correct shop, and none is empty."""
    for case in cases(CONTRACT, OPERATION, Random(0))[:3]:
        verdict, driven = examined(Shop(), case)
        assert (verdict.status.value, verdict.reason, driven.reason) == ("pass", "", "")
        assert verdict.examined >= 4


def test_a_shop_that_accepts_nothing_is_inconclusive() -> None:
    """Where no draw is accepted, the reason is told, and it is no pass."""
    program = {"stock": [2], "groups": [[{"draw": [[0, 2]]}]]}
    verdict, _ = examined(Shop("closed"), case_of(CONTRACT, OPERATION, program))
    assert verdict.status.value == "inconclusive"
    assert "none of 1 draws for which there was enough was accepted (answers 409)" in verdict.reason


def test_a_program_that_asks_only_for_too_much_is_a_pass() -> None:
    """Refusals of what there was not are observations: nothing was taken by them."""
    program = {"stock": [1], "groups": [[{"draw": [[0, 2]]}]]}
    verdict, _ = examined(Shop(), case_of(CONTRACT, OPERATION, program))
    assert (verdict.status.value, verdict.examined) == ("pass", 1)


def test_the_cases_of_a_run_have_names_of_their_own() -> None:
    """No two cases of an operation share a key, so that a history can tell them apart; the same seed gives the same."""
    keys = [case.key for case in cases(CONTRACT, OPERATION, Random(3))]
    assert len(set(keys)) == len(keys)
    assert keys == [case.key for case in cases(CONTRACT, OPERATION, Random(3))]
    assert len(keys) == 9


def test_is_sum_of_needs_at_least_one_part() -> None:
    """A lack is explained by parts that add up to it, never by none."""
    assert is_sum_of(Decimal(3), [Decimal(1), Decimal(2)])
    assert not is_sum_of(Decimal(0), [Decimal(1)])
    assert not is_sum_of(Decimal(4), [Decimal(1), Decimal(2)])


def test_the_annotation_accepts_the_documented_form_only() -> None:
    """The documented form fits the schema; a total without a unit, and an unknown member, do not."""
    validator = jsonschema_rs.Draft202012Validator(dict(PROMISE.annotation))
    assert validator.is_valid(LEDGER)
    assert not validator.is_valid({**LEDGER, "stock": "/stock"})
    assert not validator.is_valid({key: value for key, value in LEDGER.items() if key != "unit"})
