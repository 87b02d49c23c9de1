"""The promise `roles`: the whole matrix on an API that keeps it, and one finding for each way of breaking it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Contract
from harness.promises.roles import PROMISE
from harness.verdict import Status
from tests.unit.harness.promises.shelf_api import Shelf, codes, every, examined
from tests.unit.harness.promises.shelf_document import document

if TYPE_CHECKING:
    from harness.exchange import Request

FAULTS = st.sampled_from(["", "", "lost", "dropped", 429, 503])


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """However answers are lost, refused by a limit or broken off, an API that keeps its roles has no finding."""

    def fault(request: Request) -> str | int:
        return data.draw(FAULTS) if request.step.startswith(("may", "before", "after", "again")) else ""

    operation = data.draw(st.sampled_from(["notes.create", "notes.update", "users.roles", "notes.delete"]))
    assert examined(PROMISE, Shelf(fault=fault), operation).findings == ()


def test_kept() -> None:
    """Every operation of a correct API is examined for each caller, and passes."""
    verdicts = list(every(PROMISE, Shelf()))
    assert [(v.operation, v.status, v.reason) for v in verdicts if v.status is not Status.PASS] == []
    assert {v.operation: v.examined for v in verdicts}["users.roles"] == 5


@pytest.mark.parametrize(
    ("defect", "operation", "expected"),
    [
        # the handler still misses the role of a caller whom it should not have let come so far
        ("open notes.create", "notes.create", {("roles.status", "anonymous")}),
        ("open users.delete", "users.delete", {("roles.anonymous-allowed", "anonymous")}),
        ("open users.update", "users.update", {("roles.anonymous-allowed", "anonymous")}),
        ("any role", "notes.create", {("roles.role-allowed", "reader")}),
        ("no owner notes.update", "notes.update", {("roles.role-refused", "writer")}),
    ],
)
def test_broken(defect: str, operation: str, expected: set[tuple[str, str]]) -> None:
    """Each defect of the gate is found under its code, for the role that shows it."""
    verdict = examined(PROMISE, Shelf(frozenset({defect})), operation)
    assert {(f.code, f.kind) for f in verdict.findings} == expected


def test_effect() -> None:
    """A refusal that acts all the same is found by reading the thing before and after."""

    class Acting(Shelf):
        def _handle(self, request: Request):  # noqa: ANN202 - as the base class
            if request.operation == "users.roles" and not request.identity.headers:
                self.people[request.path.split("/")[2]]["name"] = "acted"
            return super()._handle(request)

    verdict = examined(PROMISE, Acting(), "users.roles")
    assert [(f.code, f.kind) for f in verdict.findings] == [("roles.effect", "anonymous")]
    assert "/name had changed" in verdict.findings[0].seen


def test_only_security_is_declared() -> None:
    """Where the document only asks for an identity, nobody is tried, and only being let in is a finding."""
    bare = document()
    del bare["x-promises"]
    for path in bare["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                operation.pop("x-promises", None)
    bare["components"] = {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}}
    bare["paths"]["/users/{id}"]["get"]["security"] = [{"bearer": []}]
    contract = Contract.read(bare, "bare")
    assert [o.id for o in contract.operations if PROMISE.applies(contract, o)] == ["users.get"]
    kept = examined(PROMISE, Shelf(contract=contract), "users.get")
    assert (kept.status, kept.examined) == (Status.PASS, 1)
    broken = examined(PROMISE, Shelf(frozenset({"open users.get"}), contract=contract), "users.get")
    assert codes(broken) == {"roles.anonymous-allowed"}


def test_a_session_that_has_ended_is_opened_anew() -> None:
    """A known identity whose token has ended logs in again before its role is said to be refused."""
    shelf = Shelf()
    ended: list[str] = []

    def fault(request: Request) -> str | int:
        if request.step == "may:admin" and not ended:
            ended.append("once")
            return 401
        return ""

    shelf.fault = fault
    verdict = examined(PROMISE, shelf, "users.roles")
    assert (verdict.status, ended) == (Status.PASS, ["once"])
