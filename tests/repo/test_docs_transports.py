"""The example of docs/promises/transports.md is kept by an API with two doors, and broken where one has no guard."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.contract import Contract
from harness.contract.overlay import applied
from harness.verdict import Status
from tests.repo.sources import blocks
from tests.unit.harness.promises.counter_api import Counter, judged
from tests.unit.harness.promises.shelf_document import document

PAGE = Path("docs/promises/transports.md")


@pytest.mark.parametrize(
    ("defect", "operation", "expected"),
    [
        ("any role", "notes.create", "roles.role-allowed"),
        ("open users.delete", "users.delete", "roles.anonymous-allowed"),
    ],
)
def test_another_door(defect: str, operation: str, expected: str) -> None:
    """A shelf with the page's overlay refuses the same at both doors; one without a guard is caught."""
    (block,) = blocks(PAGE, "yaml")
    told = Contract.read(applied(document(), yaml.safe_load(block.body), block.place), block.place)
    (kept,) = judged(Counter(contract=told), operation)
    assert (kept.status, kept.findings, kept.reason) == (Status.PASS, (), "")
    (broken,) = judged(Counter(behind=frozenset({defect}), contract=told), operation)
    assert {finding.code for finding in broken.findings} == {expected}
