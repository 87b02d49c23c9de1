"""The promise `owner`: owner, privileged role and stranger, on an API that keeps it and on one that does not."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.promises.alike import unlike
from harness.promises.owner import PROMISE
from harness.verdict import Status
from tests.unit.harness.promises.shelf_api import Shelf, every, examined

if TYPE_CHECKING:
    from harness.exchange import Request

FAULTS = st.sampled_from(["", "", "lost", "dropped", 429, 503])


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """However answers are lost or refused by a limit, an API that keeps its owners has no finding."""

    def fault(request: Request) -> str | int:
        return data.draw(FAULTS) if request.step.startswith(("may", "before", "after", "again", "made-up")) else ""

    operation = data.draw(st.sampled_from(["notes.update", "notes.delete", "users.update", "users.delete"]))
    assert examined(PROMISE, Shelf(fault=fault), operation).findings == ()


def test_kept() -> None:
    """Owner, admin and stranger are examined at every operation that has an owner, and it passes."""
    verdicts = list(every(PROMISE, Shelf()))
    assert {(v.operation, v.status, v.examined, v.reason) for v in verdicts} == {
        (name, Status.PASS, 3, "") for name in ("users.update", "users.delete", "notes.update", "notes.delete")
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


@given(st.uuids().map(str) | st.integers(0, 10**12).map(str) | st.text("abcXYZ019", min_size=3), st.integers())
def test_an_unlike_id(name: str, seed: int) -> None:
    """A made-up id differs from the real one and has its form: as many characters, or digits only."""
    other = unlike(name, Random(seed))
    assert other != name
    assert (other.isdigit() and name.isdigit()) or len(other) == len(name)
    assert [index for index, character in enumerate(name) if character == "-"] == [
        index for index, character in enumerate(other) if character == "-"
    ]
