"""The promise `idempotency`: a till that keeps its keys is clean in any interleaving; each that does not is found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.exchange import Outcome
from harness.promises.annotations import problems
from harness.promises.catalogue import PROMISES
from harness.promises.idempotency import PROMISE, model
from harness.verdict import Status
from tests.repo.sources import blocks
from tests.unit.harness.promises.till_api import PROMISED, Till, contract
from tests.unit.harness.promises.toy import examined

if TYPE_CHECKING:
    from harness.exchange import Request
    from harness.verdict import Verdict

PAY = "payments.create"
FAULTS = st.sampled_from(["", "", "", "lost", "dropped", 429, 503])


def kinds(verdict: Verdict) -> set[tuple[str, str]]:
    """Code and kind of each finding."""
    return {(finding.code, finding.kind) for finding in verdict.findings}


def lost_when_cut(request: Request) -> str:
    """The answer of a call that is cut does not come."""
    return "lost" if request.step.startswith("call|cut|") else ""


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 7)), st.integers(1, 1000), st.sampled_from(["lost", "dropped"]))
def test_any_interleaving_of_a_till_that_keeps_its_keys_is_clean(schedule: list[int], seed: int, cut: str) -> None:
    """Whatever the order in which the steps of calls run, and whether a cut call was done or not, it passes."""
    steps = iter(schedule)
    till = Till(choose=lambda _count: next(steps, 0), fault=lambda r: cut if r.step.startswith("call|cut|") else "")
    verdict = examined(PROMISE, till, PAY, seed=seed)
    assert verdict.findings == ()
    assert (verdict.status, verdict.examined) == (Status.PASS, 19)


@settings(deadline=None, max_examples=25)
@given(st.data(), st.sampled_from([frozenset(), frozenset({"busy"})]))
def test_an_unknown_outcome_is_no_finding(data: st.DataObject, defects: frozenset[str]) -> None:
    """Calls whose answers are lost, done or not, and lists that fail never make a correct till look wrong."""

    def fault(request: Request) -> str | int:
        return data.draw(FAULTS) if request.operation.startswith("payments.") else ""

    till = Till(defects=defects, fault=fault, choose=lambda count: data.draw(st.integers(0, count - 1)))
    assert examined(PROMISE, till, PAY).findings == ()


@pytest.mark.parametrize(
    ("defect", "only", "expected"),
    [
        ("ignores keys", "at-once", {("idempotency.many-effects", "again")}),
        ("ignores keys", "after-a-cut", {("idempotency.many-effects", "after a lost answer")}),
        ("ignores keys", "other-body", {("idempotency.other-body", "acted"), ("idempotency.many-effects", "again")}),
        ("pays twice", "at-once", {("idempotency.many-effects", "at once"), ("idempotency.many-effects", "again")}),
        ("forgets", "after-a-cut", {("idempotency.no-effect", "")}),
        ("refuses again", "at-once", {("idempotency.refused-again", "again")}),
        ("refuses beside", "at-once", {("idempotency.refused-again", "at once")}),
        ("answers otherwise", "at-once", {("idempotency.other-answer", "answer")}),
        ("silent", "at-once", {("idempotency.other-answer", "header")}),
        ("any body", "other-body", {("idempotency.other-body", "old answer")}),
        ("any body", "bodies", {("idempotency.other-body", "at once")}),
        (
            "acts all the same",
            "other-body",
            {("idempotency.other-body", "refused-but-done"), ("idempotency.many-effects", "again")},
        ),
        ("acts all the same", "bodies", {("idempotency.many-effects", "two bodies")}),
        ("other status", "other-body", {("idempotency.status", "other body")}),
        ("one space of keys", "other-caller", {("idempotency.shared-key", "another caller")}),
        ("keys of the tenant", "other-caller", {("idempotency.shared-key", "another caller")}),
        ("one space of keys", "other-tenant", {("idempotency.shared-key", "a caller of another tenant refused")}),
        ("poisons", "after-a-refusal", {("idempotency.refusal", "poisoned")}),
        ("no key", "missing", {("idempotency.bad-key", "missing")}),
        ("other status", "missing", {("idempotency.status", "missing")}),
        ("any length", "length", {("idempotency.bad-key", "too-long")}),
        ("cuts keys", "length", {("idempotency.shared-key", "another long key refused")}),
    ],
)
def test_broken(defect: str, only: str, expected: set[tuple[str, str]]) -> None:
    """Each defect is found under its code, by the case that is made for it."""
    turns = iter(range(10**9))
    till = Till(defects=frozenset({defect}), fault=lost_when_cut, choose=lambda count: next(turns) % count)
    found = kinds(examined(PROMISE, till, PAY, only=only))
    assert found
    assert found <= expected


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6))
def test_look_then_pay_pays_twice(seed: int) -> None:
    """Where all calls look for the key before the first one keeps it, several pay; one after the other hides it."""
    turns = iter(range(10**9))
    till = Till(defects=frozenset({"look, then pay"}), choose=lambda count: next(turns) % count)
    assert kinds(examined(PROMISE, till, PAY, only="at-once", seed=seed)) == {("idempotency.many-effects", "at once")}
    assert kinds(examined(PROMISE, till, PAY, only="other-body", seed=seed)) == set()


def test_a_status_for_calls_beside_the_first_is_held() -> None:
    """A call beside the first may be told that it is under way; where a status is declared for that, by that one."""
    turns = iter(range(10**9))
    found = [
        kinds(
            examined(PROMISE, Till(told, frozenset({"busy"}), lambda count: next(turns) % count), PAY, only="at-once")
        )
        for told in (contract(), contract(in_progress=409), contract(in_progress=423))
    ]
    assert found == [set(), set(), {("idempotency.refused-again", "at once")}]


def test_a_kept_refusal_is_one() -> None:
    """Where refusals are declared to be kept, a key that is forgotten is found; where nothing is declared, neither."""
    kept = Till(contract=contract(refusals="kept"))
    assert kinds(examined(PROMISE, kept, PAY, only="after-a-refusal")) == {("idempotency.refusal", "forgotten")}
    poisons = Till(defects=frozenset({"poisons"}), contract=contract(refusals=None))
    assert examined(PROMISE, poisons, PAY, only="after-a-refusal").findings == ()


def test_effects_that_no_list_shows() -> None:
    """Where effects cannot be counted it is inconclusive and says why; two things named are found all the same."""
    blind = contract(resource="account")
    quiet = examined(PROMISE, Till(contract=blind), PAY, only="at-once")
    assert (quiet.status, quiet.findings) == (Status.INCONCLUSIVE, ())
    assert "no list shows what payments.create makes" in quiet.reason
    loud = examined(PROMISE, Till(contract=blind, defects=frozenset({"ignores keys"})), PAY, only="at-once")
    assert kinds(loud) == {("idempotency.many-effects", "again")}


@pytest.mark.parametrize("only", ["at-once", "after-a-cut"])
def test_what_is_drawn_again(only: str) -> None:
    """An effect that no list shows is seen in what a ledger says that it draws from."""
    told = contract(ledger=True)
    assert examined(PROMISE, Till(told, fault=lost_when_cut), PAY, only=only).findings == ()
    till = Till(told, frozenset({"draws again"}), fault=lost_when_cut)
    assert {finding.code for finding in examined(PROMISE, till, PAY, only=only).findings} == {
        "idempotency.many-effects"
    }


def test_annotation() -> None:
    """Unknown members, a bound without its status and wrong statuses are refused with their place."""
    assert problems(contract(), PROMISES) == []
    wrong = contract(resource="wallet", max_length=None, other_body=200, colour="red")
    told = " ".join(problems(wrong, PROMISES))
    for part in ("'wallet', which is no resource", "max_length", "other_body: 200", "colour"):
        assert part in told


def test_the_example_of_the_page_is_examined() -> None:
    """What the page's overlay promises is kept by a till that keeps it; one that ignores keys is caught."""
    (block,) = blocks(Path("docs/promises/idempotency.md"), "yaml")
    (action,) = yaml.safe_load(block.body)["actions"]
    told = contract(**(dict.fromkeys(PROMISED) | action["update"]["x-promises"]["idempotency"]))
    kept = examined(PROMISE, Till(told), PAY)
    assert (kept.status, kept.findings) == (Status.PASS, ())
    broken = examined(PROMISE, Till(told, frozenset({"ignores keys"})), PAY)
    assert ("idempotency.many-effects", "again") in kinds(broken)


CALLS = st.lists(
    st.builds(
        lambda outcome, sent, took, thing: model.Call(
            outcome,
            {Outcome.OK: 201, Outcome.REFUSED: 409, Outcome.UNKNOWN: 0}[outcome],
            sent,
            sent + took,
            thing if outcome is Outcome.OK else "",
        ),
        st.sampled_from([Outcome.OK, Outcome.REFUSED, Outcome.UNKNOWN]),
        st.integers(0, 20),
        st.integers(1, 20),
        st.sampled_from("ab"),
    ),
    max_size=6,
)


@given(CALLS, st.one_of(st.none(), st.integers(0, 3)))
def test_the_model_wants_one_thing(calls: list[model.Call], count: int | None) -> None:
    """Several effects are told exactly when successes name several things or several are there."""
    told = [fault.word for fault in model.faults(calls, model.Rule(), count=count)]
    several = len({call.thing for call in calls if call.succeeded}) > 1 or (count or 0) > 1
    assert (model.MANY in told) == several


@given(CALLS)
def test_the_model_takes_no_lost_answer_for_a_refusal(calls: list[model.Call]) -> None:
    """Taking away answers that never came takes away no fault and adds none but in its name."""
    known = [call for call in calls if call.outcome is not Outcome.UNKNOWN]
    whole = {fault.word for fault in model.faults(calls, model.Rule(), count=None)}
    assert whole == {fault.word for fault in model.faults(known, model.Rule(), count=None)}
