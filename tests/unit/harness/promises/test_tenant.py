"""The promise `tenant`: on an API that keeps its tenants apart, and on ones that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import canary
from harness.cell import CellState
from harness.promises.annotations import problems
from harness.promises.catalogue import PROMISES
from harness.promises.tenant import PROMISE
from harness.verdict import Status
from tests.unit.harness.promises.branch_api import TOLD, Branches, contract, examined

if TYPE_CHECKING:
    from harness.exchange import Request

CONTRACT = contract()
EVERY = [operation.id for operation in CONTRACT.operations]
FAULTS = st.sampled_from(["", "", "", "lost", "dropped", 429, 503])
STEPS = ("foreign", "absent", "home", "away", "other", "own", "place", "pair", "swap", "before", "after", "again")


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(EVERY), st.integers(0, 2**16))
def test_kept(operation: str, seed: int) -> None:
    """An API that keeps its tenants apart passes at every operation, whatever is drawn."""
    verdict = examined(Branches(), operation, seed=seed)
    assert (verdict.status, verdict.findings, verdict.reason) == (Status.PASS, (), "")
    assert verdict.examined > 2


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """However answers are lost or refused by a limit, an API that keeps its tenants apart has no finding."""

    def fault(request: Request) -> str | int:
        return data.draw(FAULTS) if request.step.startswith(STEPS) else ""

    assert examined(Branches(fault=fault), data.draw(st.sampled_from(EVERY))).findings == ()


@pytest.mark.parametrize(
    ("defect", "operation", "codes"),
    [
        ("one world", "notes.get", {"tenant.canary", "tenant.reached"}),
        ("one world", "notes.list", {"tenant.canary"}),
        ("one world", "notes.update", {"tenant.canary", "tenant.reached"}),
        ("one world", "notes.delete", {"tenant.reached"}),
        ("one world", "pins.create", {"tenant.reached"}),
        ("one cache", "notes.list", {"tenant.canary"}),
        ("tells", "notes.get", {"tenant.existence"}),
        ("tells", "notes.delete", {"tenant.existence"}),
        ("unbound", "notes.create", {"tenant.credentials"}),
        ("unbound", "notes.delete", {"tenant.credentials"}),
        ("unbound", "notes.get", {"tenant.canary", "tenant.credentials", "tenant.told"}),
        ("made at sight", "notes.list", {"tenant.unknown"}),
        ("made at sight", "users.create", {"tenant.unknown"}),
        ("made at sight", "notes.create", {"tenant.status"}),
        ("deaf to the path", "users.get", {"tenant.told"}),
        ("path first", "users.get", {"tenant.told"}),
    ],
)
def test_broken(defect: str, operation: str, codes: set[str]) -> None:
    """Each defect is found under its codes, and under no other."""
    verdict = examined(Branches(frozenset({defect})), operation)
    assert {finding.code for finding in verdict.findings} == codes


def test_the_matrix_has_a_cell_for_another_tenant() -> None:
    """What credentials of another tenant were promised and got is told as a cell."""
    (held,) = examined(Branches(), "notes.create").cells
    assert (held.identity, held.expected, held.seen, held.state) == ("other tenant", "401", "401", CellState.HELD)
    (broken,) = examined(Branches(frozenset({"unbound"})), "notes.create").cells
    assert (broken.seen, broken.state) == ("201", CellState.BROKEN)


def test_one_tenant_tells_nothing() -> None:
    """With one tenant nothing can cross: the verdict is inconclusive and says what to write."""
    verdict = examined(Branches(), "notes.get", names=["north"])
    assert verdict.status is Status.INCONCLUSIVE
    assert "identities.tenants.names" in verdict.reason


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({"told": []}, "told"),
        ({"told": [{"in": "header"}]}, "told"),
        ({"told": [{"in": "path", "prefix": "/t/"}]}, "told"),
        ({**TOLD, "unknown": 200}, "unknown"),
        ({**TOLD, "conflict": "last"}, "conflict"),
        ({**TOLD, "others": 401}, "others"),
    ],
)
def test_a_wrong_annotation_is_told(told: dict[str, Any], wrong: str) -> None:
    """An annotation that says nothing that can be examined is a problem with its place."""
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}, "x-promises": {"tenant": told}}
    (problem,) = problems(type(CONTRACT)(document), PROMISES)
    assert problem.startswith("x-promises.tenant")
    assert wrong in problem


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=30))
def test_marks(tenant: str, other: str, around: str) -> None:
    """A mark is found in any text, and is foreign in every tenant of another tag and in none of its own."""
    mark = canary.fresh(tenant or "north")
    text = f"{around}-{mark}-{around}"
    assert mark not in canary.foreign(text, tenant or "north")
    if canary.tag(other) != canary.tag(tenant or "north"):
        assert mark in canary.foreign(text, other)


@given(st.uuids().map(str) | st.binary(min_size=16, max_size=64).map(bytes.hex))
def test_ids_are_no_marks(text: str) -> None:
    """No id and no key in hexadecimal looks like a mark."""
    assert canary.foreign(text, "north") == []


def test_the_promise_stands_anywhere() -> None:
    """It may be told for all operations at once, or for one."""
    assert PROMISE.on_document
    assert PROMISE.on_operation
