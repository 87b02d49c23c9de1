"""The promise `resource`: the laws of a thing's life, and members that only the server sets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Contract
from harness.contract.resource import Resource
from harness.exchange import Exchange, Request, Response
from harness.promises.resource import PROMISE, mass
from harness.verdict import Status
from tests.unit.harness.promises.shelf_api import Shelf, every, examined
from tests.unit.harness.promises.shelf_document import document

FAULTS = st.sampled_from(["", "", "", "lost", "dropped", 429, 503])
OPERATIONS = ["notes.create", "notes.list", "notes.update", "users.update"]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """However answers are lost or refused by a limit, a correct API has no finding."""

    def fault(request: Request) -> str | int:
        return data.draw(FAULTS) if request.operation.startswith("notes") else ""

    assert examined(PROMISE, Shelf(fault=fault), data.draw(st.sampled_from(OPERATIONS))).findings == ()


def test_kept() -> None:
    """Every operation of a correct API's resources is examined, and passes."""
    verdicts = list(every(PROMISE, Shelf()))
    assert [(v.operation, v.findings, v.reason) for v in verdicts if v.status is not Status.PASS] == []
    assert {v.operation for v in verdicts if v.status is Status.PASS} >= set(OPERATIONS)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 40), st.integers(1, 100))
def test_a_listed_thing_is_found_on_any_page(others: int, seed: int) -> None:
    """A thing is found on whichever page it stands; a list longer than the bound is not called incomplete."""
    shelf = Shelf()
    shelf.notes = {f"o{number}": {"id": f"o{number}", "stars": 0, "version": 1} for number in range(others)}
    assert examined(PROMISE, shelf, "notes.list", seed=seed).status is Status.PASS


@pytest.mark.parametrize("others", [0, 3, 5, 11])
def test_a_thing_that_is_not_listed(others: int) -> None:
    """A thing missing from the whole list, walked twice, is a finding."""

    class Hiding(Shelf):
        def _page(self, query: dict[str, str]) -> tuple[int, Any]:
            kept = self.notes
            self.notes = {key: note for key, note in kept.items() if key.startswith("o")}
            page = super()._page(query)
            self.notes = kept
            return page

    shelf = Hiding()
    shelf.notes = {f"o{number}": {"id": f"o{number}", "stars": 0, "version": 1} for number in range(others)}
    assert [f.code for f in examined(PROMISE, shelf, "notes.list").findings] == ["resource.not-listed"]


def test_a_list_that_is_too_long_to_walk() -> None:
    """Where the whole list was not seen nothing is missing in it, and the reason is told."""

    class Endless(Shelf):
        def _page(self, query: dict[str, str]) -> tuple[int, Any]:
            first = int(query["page"]) * 5
            return 200, {"items": [{"id": f"e{first + number}"} for number in range(5)], "total": 10**6}

    verdict = examined(PROMISE, Endless(), "notes.list")
    assert (verdict.findings, "could not be walked" in verdict.reason) == ((), True)


@pytest.mark.parametrize(
    ("defect", "operation", "expected"),
    [
        ("loses notes", "notes.create", {("resource.create-not-readable", "")}),
        ("zero is nothing", "notes.update", {("resource.update-lost", "/stars")}),
        ("unlisted", "notes.list", {("resource.not-listed", "")}),
        (
            "takes all",
            "notes.create",
            {("resource.mass-assignment", f"/{name}") for name in ("id", "ownerId", "version", "hidden")},
        ),
    ],
)
def test_broken(defect: str, operation: str, expected: set[tuple[str, str]]) -> None:
    """Each defect is found under its code."""
    verdict = examined(PROMISE, Shelf(frozenset({defect})), operation)
    assert {(f.code, f.kind) for f in verdict.findings} == expected


def test_the_owner_is_the_member_that_the_contract_declares() -> None:
    """To set the declared owner is high, whatever its name; the same member undeclared is one like others."""
    bare = document()
    for resource in bare["x-promises"]["resource"].values():
        resource.pop("owner", None)
    found = {}
    for name, told in (("declared", document()), ("bare", bare)):
        shelf = Shelf(frozenset({"takes all"}), contract=Contract.read(told, "shelf"))
        verdict = examined(PROMISE, shelf, "notes.create")
        found[name] = next(item.severity.value for item in verdict.findings if item.kind == "/ownerId")
    assert found == {"declared": "high", "bare": "medium"}


def test_an_update_that_is_lost() -> None:
    """An update that is answered and not kept is found by reading."""
    verdict = examined(PROMISE, Shelf(frozenset({"update lost"})), "notes.update")
    assert [(f.code, f.kind) for f in verdict.findings] == [("resource.update-lost", "/title")]


def test_a_role_that_a_person_gives_itself() -> None:
    """Roles that a person sends of itself in an update are a critical finding where they are taken over."""
    verdict = examined(PROMISE, Shelf(frozenset({"takes all"})), "users.update")
    assert ("resource.mass-assignment", "/roles", "critical") in {
        (f.code, f.kind, f.severity.value) for f in verdict.findings
    }


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.sampled_from(["user", "admin"]), st.lists)


@given(JSON, JSON)
def test_rights_are_compared_with_whatever_an_answer_shows(control: Any, shown: Any) -> None:
    """A role counts as assigned where a list shows it that did not; an answer of any other shape shows none."""
    resource = Resource("user", create="users.create", declared=True)
    answer = Exchange("x", Request("POST", "/users"), Response(201, (), json.dumps({"roles": shown}).encode()), 1, 1, 1)
    had, has = (isinstance(value, list) and "admin" in value for value in (control, shown))
    assert mass.assigned(resource, {"roles": control}, answer, "/roles", ["admin"]) is (has and not had)


def undeclared() -> Contract:
    """Notes that only the paths show to be a resource."""
    told = document()
    del told["x-promises"]["resource"]["note"]
    for path in ("/notes", "/notes/{id}"):
        for operation in told["paths"][path].values():
            if isinstance(operation, dict):
                for key in ("owner", "version"):
                    operation["x-promises"].pop(key, None)
    return Contract.read(told, "shelf")


@pytest.mark.parametrize("defect", ["takes all", "unlisted"])
def test_an_undeclared_resource_keeps_its_freedom(defect: str) -> None:
    """Of a resource that only the paths show, no law is judged that an API may well not mean to keep."""
    shelf = Shelf(frozenset({defect, "missing accepted"}), contract=undeclared())
    assert [
        f for verdict in every(PROMISE, shelf) if verdict.operation.startswith("notes") for f in verdict.findings
    ] == []


@pytest.mark.parametrize("defect", ["", "zero is nothing", "update lost"])
def test_an_undeclared_resource_may_show_what_was_written_a_little_later(defect: str) -> None:
    """Where the first read after a write is still of the old state, the second decides, of a zero too."""

    class Late(Shelf):
        def _update(self, request: Request, caller: dict[str, Any], key: str, body: dict[str, Any]) -> Any:
            self.gone["old"] = dict(self._note(key))
            status, note = yield from super()._update(request, caller, key, body)
            return status, {**note, **body}

        def _note(self, key: str, *, hidden: bool = False) -> dict[str, Any]:
            old = self.gone.pop("old", None) if hidden else None
            return super()._note(key, hidden=hidden) if old is None else old

    verdict = examined(PROMISE, Late(frozenset({defect, "missing accepted"}), contract=undeclared()), "notes.update")
    assert [(f.code, f.kind) for f in verdict.findings] == {
        "": [],
        "zero is nothing": [("resource.update-lost", "/stars")],
        "update lost": [("resource.update-lost", "/title")],
    }[defect]


def test_nothing_was_sent() -> None:
    """A case that came to nothing is judged as nothing examined."""
    shelf = Shelf()
    assert PROMISE.judge(shelf.contract, shelf.contract.by_id["notes.create"], []).status is Status.INCONCLUSIVE
