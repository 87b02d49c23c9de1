"""The promise `delete`: after it a thing is nowhere, and what else follows is as declared."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.actors import Actors
from harness.contract import Contract
from harness.drive import drive
from harness.promises.annotations import problems
from harness.promises.catalogue import PROMISES
from harness.promises.delete import ANNOTATION, PROMISE, applies
from harness.stage import Stage
from harness.verdict import Status
from tests.unit.harness.promises import beach_api
from tests.unit.harness.promises.beach_api import Beach, faults
from tests.unit.harness.promises.beach_document import DELETES
from tests.unit.harness.promises.beach_document import document as beach_document
from tests.unit.harness.promises.shelf_api import IDENTITIES, Shelf, examined
from tests.unit.harness.promises.shelf_document import document

if TYPE_CHECKING:
    from harness.exchange import Exchange, Request
    from harness.verdict import Verdict

FAULTS = st.sampled_from(["", "", "", "", "lost", 429, 503])
ON = {"pebble": "pebbles.delete", "box": "boxes.delete"}


def of(thing: str, *defects: str, **told: Any) -> Verdict:
    """What is said of the delete of a pebble or a box, with defects; `told` replaces parts of what is promised."""
    promised = {**DELETES, thing: {"delete": {**DELETES[thing]["delete"], **told}}}
    beach = Beach(frozenset(defects), others=4, told=beach_document(deletes=promised))
    return beach_api.examined(PROMISE, beach, name=ON[thing])


@pytest.mark.parametrize("thing", ON)
def test_kept(thing: str) -> None:
    """A delete that keeps all that is said of it is examined in all of it, and passes."""
    verdict = of(thing)
    assert (verdict.findings, verdict.reason, verdict.status) == ((), "", Status.PASS)
    assert verdict.examined >= {"pebble": 13, "box": 7}[thing]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """However answers are lost or refused by a limit, a correct API has no finding."""
    beach = Beach(fault=lambda _request: data.draw(FAULTS), told=beach_document(deletes=DELETES))
    assert beach_api.examined(PROMISE, beach, name=data.draw(st.sampled_from(list(ON.values())))).findings == ()


@pytest.mark.parametrize(
    ("thing", "defect", "expected"),
    [
        ("pebble", "reads deleted", {("delete.read", "")}),
        ("pebble", "gone is 410", {("delete.read", "status"), ("delete.again", "")}),
        ("pebble", "lists deleted", {("delete.listed", "pebbles.list")}),
        ("pebble", "searches deleted", {("delete.listed", "pebbles.list search")}),
        ("pebble", "counts deleted", {("delete.counted", "stats")}),
        ("pebble", "deletes deleted", {("delete.again", "")}),
        ("pebble", "changes deleted", {("delete.changed", "pebbles.update")}),
        ("pebble", "marks deleted", {("delete.changed", "marks.create")}),
        ("pebble", "marks stay", {("delete.child", "mark")}),
        ("pebble", "photos stay", {("delete.file", "")}),
        ("pebble", "restores nothing", {("delete.restore", "")}),
        ("box", "deleted boxes are used", {("delete.used", "pebbles.create")}),
        ("box", "used boxes go", {("delete.in-use", "")}),
        ("box", "refuses with 422", {("delete.in-use", "")}),
        ("box", "refuses and acts", {("delete.effect", "")}),
        ("box", "labels repeat", {("delete.unique", "two")}),
        ("box", "labels stay taken", {("delete.unique", "")}),
    ],
)
def test_broken(thing: str, defect: str, expected: set[tuple[str, str]]) -> None:
    """Each defect is found under its code, and nothing else is."""
    found = {(finding.code, finding.kind) for finding in of(thing, defect).findings}
    extra = {
        ("delete.listed", f"pebbles.list {name}") for name in ("box", "search", "minWeight", "maxWeight", "colours")
    }
    assert expected <= found <= expected | (extra if defect == "lists deleted" else set())


@pytest.mark.parametrize(
    ("thing", "defect", "told"),
    [
        ("pebble", "marks stay", {"children": [{"resource": "mark", "becomes": "kept"}]}),
        ("pebble", "gone is 410", {"gone": [410], "again": 410}),
        ("pebble", "deletes deleted", {"again": 204}),
        ("box", "refuses with 422", {"used": {"resource": "pebble", "status": 422}}),
        ("box", "labels stay taken", {"unique": {"member": "/label", "becomes": "taken"}}),
    ],
)
def test_what_is_told_is_what_counts(thing: str, defect: str, told: dict[str, Any]) -> None:
    """What breaks one promise keeps another: each is judged by what is declared."""
    assert of(thing, defect, **told).findings == ()
    assert faults(of(thing, **told)) != set()


@pytest.mark.parametrize(
    ("defect", "expected"),
    [
        ("reads deleted", {("delete.read", "")}),
        ("lists deleted", {("delete.listed", "notes.list")}),
        ("deletes twice", {("delete.again", "")}),
        ("changes deleted", {("delete.changed", "notes.update")}),
        ("pins deleted", {("delete.used", "pins.create")}),
    ],
)
def test_a_declared_resource_is_gone_without_more_being_told(defect: str, expected: set[tuple[str, str]]) -> None:
    """What a resource declares is enough for what follows from it."""
    assert examined(PROMISE, Shelf(), "notes.delete").status is Status.PASS
    verdict = examined(PROMISE, Shelf(frozenset({defect})), "notes.delete")
    assert expected <= {(f.code, f.kind) for f in verdict.findings} <= expected | {("delete.again", "")}


@pytest.mark.parametrize("defect", ["lists deleted", "deletes twice", "pins deleted"])
def test_an_undeclared_resource_keeps_its_freedom(defect: str) -> None:
    """Of a resource that only the paths show, no law is judged that an API may well not mean to keep."""
    told = document()
    del told["x-promises"]["resource"]["note"]
    for path in ("/notes", "/notes/{id}"):
        for operation in told["paths"][path].values():
            if isinstance(operation, dict):
                for key in ("owner", "version"):
                    operation["x-promises"].pop(key, None)
    shelf = Shelf(frozenset({defect, "missing accepted"}), contract=Contract.read(told, "shelf"))
    assert examined(PROMISE, shelf, "notes.delete").findings == ()


def test_a_second_delete_is_judged_only_where_it_is_promised() -> None:
    """A delete that is idempotent breaks nothing unless the resource says what a second one gets."""
    told = document()
    del told["x-promises"]["resource"]["note"]["again"]
    shelf = Shelf(frozenset({"deletes twice"}), contract=Contract.read(told, "shelf"))
    assert examined(PROMISE, shelf, "notes.delete").findings == ()


def test_a_limit_that_was_waited_out_changes_nothing() -> None:
    """A history holds the 429s that the driver waited out; judged again it says what was said at first."""
    shelf = Shelf()
    paced: set[str] = set()

    def fault(request: Request) -> str | int:
        step = f"{request.step}{request.path}"
        again = step in paced or request.operation not in {"notes.create", "notes.get", "notes.delete"}
        paced.add(step)
        return "" if again else 429

    shelf.fault = fault
    operation = shelf.contract.by_id["notes.delete"]
    case = next(case for case in PROMISE.cases(shelf.contract, operation, Random(1)) if case.name == "delete")
    sent: list[Exchange] = []
    shelf.seen = sent.append
    driven = drive(case, Stage(shelf.contract, Actors(IDENTITIES), Random(1), "n"), shelf, sleep=lambda _seconds: None)
    first, again = (PROMISE.judge(shelf.contract, operation, held) for held in (driven.exchanges, sent))
    assert driven.paced > 0
    assert (first.status, first.examined) == (Status.PASS, 3)
    assert again == first


def test_nothing_was_sent() -> None:
    """A case that came to nothing is judged as nothing examined."""
    shelf = Shelf()
    assert PROMISE.judge is not None
    assert PROMISE.judge(shelf.contract, shelf.contract.by_id["notes.delete"], []).status is Status.INCONCLUSIVE


def test_it_can_be_switched_off() -> None:
    """`false` on the operation takes the promise away."""
    contract = Contract.read(beach_document(deletes={"pebble": {"delete": False}}), "beach")
    assert [applies(contract, contract.by_id[name]) for name in ON.values()] == [False, True]


def test_what_is_named_is_there() -> None:
    """Operations and resources that an annotation names are ones of the contract."""
    told = {"writes": ["marks.make"], "children": [{"resource": "stain", "becomes": "gone"}], "restore": "pebbles.back"}
    contract = Contract.read(beach_document(deletes={"pebble": {"delete": told}}), "beach")
    assert [problem.partition(" is ")[2].partition(",")[0] for problem in problems(contract, PROMISES)] == [
        "'marks.make'", "'stain'", "'pebbles.back'",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong", [{"kind": "half"}, {"again": 99}, {"children": [{"resource": "mark"}]}, {"after": "gone"}]
)
def test_a_wrong_annotation_is_refused(wrong: dict[str, Any]) -> None:
    """An annotation with a kind, a status or a member that is not known is no annotation."""
    assert not jsonschema_rs.Draft202012Validator(dict(ANNOTATION)).is_valid(wrong)
