"""The promise `owner`: owner, privileged role and stranger, on an API that keeps it and on one that does not."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Contract
from harness.promises.alike import unlike
from harness.promises.owner import PROMISE
from harness.verdict import Status
from tests.unit.harness.promises.shelf_api import Shelf, every, examined
from tests.unit.harness.promises.shelf_document import document, publishing

if TYPE_CHECKING:
    from harness.exchange import Request

NAMES = ["notes.update", "notes.delete", "users.update", "users.delete"]
FAULTS = st.sampled_from(["", "", "lost", "dropped", 429, 503])


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """However answers are lost or refused by a limit, an API that keeps its owners has no finding."""

    def fault(request: Request) -> str | int:
        return data.draw(FAULTS) if request.step.startswith(("may", "before", "after", "again", "made-up")) else ""

    operation = data.draw(st.sampled_from(NAMES))
    assert examined(PROMISE, Shelf(fault=fault), operation).findings == ()


def test_kept() -> None:
    """Owner, admin, a stranger and one of another role are examined where there is an owner, and it passes."""
    verdicts = list(every(PROMISE, Shelf()))
    assert {(v.operation, v.status, v.examined, v.reason) for v in verdicts} == {
        (name, Status.PASS, 4, "") for name in ("users.update", "users.delete", "notes.update", "notes.delete")
    }


@pytest.mark.parametrize(
    ("defect", "operation", "code", "kind"),
    [
        ("open notes.update", "notes.update", "owner.stranger-allowed", "stranger"),
        ("open notes.delete", "notes.delete", "owner.stranger-allowed", "stranger"),
        ("open users.delete", "users.delete", "owner.stranger-allowed", "stranger"),
        ("no admin notes.delete", "notes.delete", "owner.role-refused", "admin"),
        ("no owner notes.update", "notes.update", "owner.owner-refused", "owner"),
        ("stranger 403", "users.update", "owner.status", "stranger"),
        ("existence", "users.update", "owner.status", "existence"),
        ("validates first", "users.update", "owner.status", "existence"),
        ("refuses and acts", "users.update", "owner.effect", "stranger"),
    ],
)
def test_broken(defect: str, operation: str, code: str, kind: str) -> None:
    """Each defect is one finding, under its code."""
    verdict = examined(PROMISE, Shelf(frozenset({defect})), operation)
    assert [(f.code, f.kind) for f in verdict.findings] == [(code, kind)]


@pytest.mark.parametrize("operation", ["notes.update", "notes.delete", "notes.publish"])
@pytest.mark.parametrize("defect", ["", "open once published"])
def test_what_all_may_see_is_not_for_all_to_change(operation: str, defect: str) -> None:
    """Where a publish shows a thing to others, a stranger is tried at a published one too, but not at publishing it."""
    shelf = Shelf(frozenset({defect}), contract=Contract.read(publishing(), "shelf"))
    verdict = examined(PROMISE, shelf, operation)
    wanted = [("owner.stranger-allowed", "stranger who sees it")] if defect and operation != "notes.publish" else []
    assert [(f.code, f.kind) for f in verdict.findings] == wanted
    assert (verdict.examined, verdict.reason) == (4 if operation == "notes.publish" else 5, "")


def told(**owner: Any) -> Contract:
    """The shelf's contract with these owners of people and notes."""
    found = document()
    for path in ("/users/{id}", "/notes/{id}"):
        for method in ("patch", "delete"):
            promises = found["paths"][path][method]["x-promises"]
            promises["owner"] = {**{key: value for key, value in promises["owner"].items() if key != "roles"}, **owner}
    return Contract.read(found, "shelf")


@settings(deadline=None, max_examples=40)
@given(operation=st.sampled_from(NAMES), told_of=st.booleans(), bypass=st.booleans())
def test_a_role_that_is_not_told(operation: str, *, told_of: bool, bypass: bool) -> None:
    """An admin is a stranger where no right of that role is told, and only there: let in by the API is a finding."""
    shelf = Shelf(frozenset() if bypass else frozenset({f"no admin {operation}"}), contract=told(
        **({"roles": ["admin"]} if told_of else {})
    ))  # fmt: skip
    expected = (
        [("owner.role-refused", "admin")] if told_of and not bypass else
        [("owner.stranger-allowed", "stranger admin")] if bypass and not told_of else []
    )  # fmt: skip
    verdict = examined(PROMISE, shelf, operation)
    assert ([(f.code, f.kind) for f in verdict.findings], verdict.reason) == (expected, "")


def test_the_refusal_of_another_role() -> None:
    """Who may see a thing may be told that it is another's: 403 of an admin is right where strangers get 404."""
    shelf = Shelf(frozenset({"no admin users.delete", "admin 403"}), contract=told())
    assert (examined(PROMISE, shelf, "users.delete").findings, shelf.people != {}) == ((), True)


def test_the_refusal_of_another_role_is_without_effect() -> None:
    """An admin whose refused write changes the thing all the same is a finding where nobody else's does."""
    shelf = Shelf(frozenset({"no admin users.update", "refuses an admin and acts"}), contract=told())
    found = [(f.code, f.kind) for f in examined(PROMISE, shelf, "users.update").findings]
    assert found == [("owner.effect", "stranger admin")]


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_no_answer_to_another_role_no_finding(data: st.DataObject) -> None:
    """However answers are lost, an API that lets no role act beside the owner has no finding."""

    def fault(request: Request) -> str | int:
        return data.draw(FAULTS) if request.step.startswith(("may", "before", "after", "again", "made-up")) else ""

    operation = data.draw(st.sampled_from(NAMES))
    shelf = Shelf(frozenset({f"no admin {operation}"}), contract=told(), fault=fault)
    assert examined(PROMISE, shelf, operation).findings == ()


@given(st.uuids().map(str) | st.integers(0, 10**12).map(str) | st.text("abcXYZ019", min_size=3), st.integers())
def test_an_unlike_id(name: str, seed: int) -> None:
    """A made-up id differs from the real one and has its form: as many characters, or digits only."""
    other = unlike(name, Random(seed))
    assert other != name
    assert (other.isdigit() and name.isdigit()) or len(other) == len(name)
    assert [index for index, character in enumerate(name) if character == "-"] == [
        index for index, character in enumerate(other) if character == "-"
    ]
