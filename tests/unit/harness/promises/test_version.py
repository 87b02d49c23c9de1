"""The promise `version`: any interleaving of a compare-and-set is clean; what is not one is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Contract
from harness.promises.version import PROMISE
from harness.promises.version.cases import ROUNDS, WRITERS
from harness.verdict import Status
from tests.unit.harness.promises.shelf_api import Refused, Shelf, codes, examined
from tests.unit.harness.promises.shelf_document import ID, SIGNED_IN, TEXT, VERSION, document

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.exchange import Request

FORM = {"multipart/form-data": {"schema": {"type": "object", "properties": {"text": TEXT}, "required": ["text"]}}}
FAULTS = st.sampled_from(["", "", "", "lost", "dropped", 429, 503])
OTHERS = 1
FORMS = ("header If-Match", "body version")


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 7)), st.integers(1, 1000))
def test_any_interleaving_of_a_compare_and_set_is_clean(schedule: list[int], seed: int) -> None:
    """Whatever the order in which the steps of released writers run, a correct API passes."""
    steps = iter(schedule)
    verdict = examined(PROMISE, Shelf(choose=lambda _count: next(steps, 0)), "notes.update", seed=seed)
    assert verdict.findings == ()
    assert (verdict.status, verdict.examined) == (Status.PASS, 2 * (1 + ROUNDS) + 1 + OTHERS)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_an_unknown_outcome_is_no_finding(data: st.DataObject) -> None:
    """Writes whose answers are lost, done or not, never make a correct API look wrong."""

    def fault(request: Request) -> str | int:
        return data.draw(FAULTS) if request.operation in {"notes.update", "notes.get"} else ""

    shelf = Shelf(fault=fault, choose=lambda count: data.draw(st.integers(0, count - 1)))
    assert examined(PROMISE, shelf, "notes.update").findings == ()


@pytest.mark.parametrize("fault", ["lost", "dropped", 503])
def test_a_race_without_an_answer_is_inconclusive(fault: str | int) -> None:
    """One writer without an answer makes the race inconclusive, with the reason."""
    counted = iter(range(10**6))
    verdict = examined(
        PROMISE,
        Shelf(fault=lambda r: fault if r.step.startswith("writer") and next(counted) % WRITERS == 0 else ""),
        "notes.update",
        only="race",
    )
    assert verdict.findings == ()
    assert "in a race 1 of 8 writes gave" in verdict.reason


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6))
def test_check_then_write_has_two_winners(seed: int) -> None:
    """Where all writers check before the first one writes, several win; the stale write alone does not show it."""
    shelf = Shelf(frozenset({"check, then write"}), choose=_turns())
    assert codes(examined(PROMISE, shelf, "notes.update", only="race", seed=seed)) == {"version.two-winners"}


@pytest.mark.parametrize(
    ("defect", "case", "expected"),
    [
        ("stars alone raise nothing", "stale", {("version.not-raised", FORMS[0])}),
        ("stale accepted", "stale", {("version.lost-update", form) for form in FORMS}),
        ("stale accepted", "race", {("version.two-winners", form) for form in FORMS}),
        ("refuses and acts", "stale", {("version.lost-update", f"{form} refused-but-written") for form in FORMS}),
        ("other status", "stale", {("version.status", form) for form in FORMS}),
        ("not raised", "stale", {("version.not-raised", form) for form in FORMS}),
        ("not raised", "race", {("version.two-winners", form) for form in FORMS}),
        ("missing accepted", "missing", {("version.missing-accepted", "unversioned")}),
    ],
)
def test_broken(defect: str, case: str, expected: set[tuple[str, str]]) -> None:
    """Each defect is found in each form, under its code."""
    verdict = examined(PROMISE, Shelf(frozenset({defect})), "notes.update", only=case)
    assert {(f.code, f.kind) for f in verdict.findings} == expected


def test_a_refused_writer_whose_body_stays() -> None:
    """A refused writer's value in the thing is a lost update, though only one was told that it won."""
    verdict = examined(PROMISE, Shelf(frozenset({"refuses and acts"})), "notes.update", only="race")
    assert {(f.code, f.kind) for f in verdict.findings} == {
        ("version.lost-update", f"{form} loser-written") for form in FORMS
    }


@pytest.mark.parametrize("status", [412, 409])
def test_no_winner(status: int) -> None:
    """A version just read that is refused alone, twice, is a finding; one refused for another reason is not."""

    class Never(Shelf):
        def _handle(self, request: Request):  # noqa: ANN202 - as the base class
            inner = super()._handle(request)
            return _refusing(status) if request.operation == "notes.update" else inner

    verdict = examined(PROMISE, Never(), "notes.update", only="stale-If-Match")
    expected = [("version.no-winner", "header If-Match alone")] if status == 412 else []
    assert [(f.code, f.kind) for f in verdict.findings] == expected
    assert bool(verdict.reason) == (status == 409)


def _refusing(status: int):  # noqa: ANN202 - a handler
    yield
    raise Refused(status)


def _turns():  # noqa: ANN202 - a scheduler
    """Every request in turn, a step each."""
    at = iter(range(10**9))
    return lambda count: next(at) % count


def test_a_writer_at_its_limit_did_not_win() -> None:
    """A writer refused by a rate limit beside a winner leaves the race as it is: exactly one won."""
    counted = iter(range(10**6))
    shelf = Shelf(fault=lambda r: 429 if r.step.startswith("writer") and next(counted) % WRITERS == 7 else "")
    verdict = examined(PROMISE, shelf, "notes.update", only="race")
    assert (verdict.status, verdict.examined) == (Status.PASS, 2 * ROUNDS)


class _Pictures(Shelf):
    """The shelf with a form of a note, which is refused where its version is not the newest."""

    def _handle(self, request: Request) -> Any:
        if request.operation != "notes.picture":
            return (yield from super()._handle(request))
        yield
        note, match = self.notes[request.path.split("/")[2]], dict(request.headers).get("If-Match")
        if match != f'"{note["version"]}"' and not self.has("stale accepted"):
            raise Refused(428 if match is None else 412)
        note["version"] += 1
        return 200, None


def _pictures(*defects: str, fault: Callable[[Request], str | int] = lambda _request: "") -> _Pictures:
    told = document()
    operation = {"operationId": "notes.picture", "requestBody": {"required": True, "content": FORM}}
    promises = {"roles": SIGNED_IN, "version": {**VERSION, "forms": VERSION["forms"][:1]}}
    told["paths"]["/notes/{id}/picture"] = {
        "parameters": ID,
        "put": {**operation, "responses": {"200": {"description": ""}}, "x-promises": promises},
    }
    return _Pictures(frozenset(defects), contract=Contract.read(told, "shelf"), fault=fault)


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(["", "lost", "dropped", 401, 429, 503]), st.integers(1, 1000))
def test_a_form_that_is_refused_wrote_nothing_that_can_be_seen(fault: str | int, seed: int) -> None:
    """A stale form that is refused is clean, also where the thing cannot be read afterwards."""
    shelf = _pictures(fault=lambda request: fault if request.step == "shown-second" else "")
    verdict = examined(PROMISE, shelf, "notes.picture", seed=seed)
    assert (verdict.findings, verdict.examined, verdict.status) == ((), 2, Status.PASS)


def test_a_stale_form_that_is_taken() -> None:
    """A form whose version is old or missing, and that is accepted, is found."""
    verdict = examined(PROMISE, _pictures("stale accepted"), "notes.picture")
    assert codes(verdict) == {"version.lost-update", "version.missing-accepted"}
