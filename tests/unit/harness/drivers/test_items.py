"""The order of pytest's items: what is cheap and tells much comes first, what waits comes last."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from harness.contract import Contract
from harness.drivers.items import items
from harness.run import Attachment, Run, freeze

if TYPE_CHECKING:
    from pathlib import Path

WINDOW = {"name": "one", "quota": 3, "window_s": 60, "scope": ["user"], "algorithm": "fixed"}
PATHS = {
    f"/{name}": {
        "get": {
            "operationId": name,
            "responses": {"200": {"description": "fine"}},
            "x-promises": {"rate-limit": [WINDOW]} if name == "one" else {},
        }
    }
    for name in ("one", "two", "three")
}
DOCUMENT = {"openapi": "3.1.0", "info": {"title": "One", "version": "1"}, "x-promises": {"http": {}}, "paths": PATHS}


def test_the_survey_then_few_items_then_what_exhausts(tmp_path: Path) -> None:
    """Standing promises come first, then those of few operations before those of many, and at last what is used up."""
    contract = Contract(DOCUMENT)
    freeze(contract, tmp_path)
    with Run(Attachment(str(tmp_path), "http://127.0.0.1:9", 7, {}, {}), "pytest", contract=contract) as run:
        found = [item.promise for item in items(run, 2)]
    count = {promise.key: [item.key for item in found].count(promise.key) for promise in found}
    turns = [
        (promise.exhausts, not promise.standing, 0 if promise.standing else count[promise.key]) for promise in found
    ]
    assert {promise.exhausts for promise in found} == {promise.standing for promise in found} == {True, False}
    assert all(before <= after for before, after in pairwise(turns) if not after[0])
    assert found[-1].key == "rate-limit"
