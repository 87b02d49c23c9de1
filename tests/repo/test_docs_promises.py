"""docs/promises: a page says all that an annotation takes and all that is found, and its example is kept and broken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from harness.codes import CODES
from harness.contract.overlay import applied
from harness.promises.catalogue import BY_KEY
from harness.verdict import Status
from tests.repo.sources import blocks, text
from tests.unit.harness.promises.beach_api import Beach, examined, faults
from tests.unit.harness.promises.beach_document import pets

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path("docs/promises")
# Each with a defect of the pet shop that its example catches, and the code of that.
BROKEN = {
    "page": ("skips one", "page.order"),
    "filter": ("wildcards", "filter.unfit"),
    "sort": ("sorts each page", "sort.order"),
    "delete": ("lists deleted", "delete.listed"),
    "cache": ("lists deleted", "cache.stale"),
}
OPERATIONS = {"delete": "pebbles.delete"}
SECTIONS = ["What it says", "What it sends", "What it finds", "What it cannot see", "An example"]


def members(schema: Any) -> Iterator[str]:
    """The name of every member that an annotation may have."""
    for name, part in (schema.get("properties") or {}).items():
        yield name
        yield from members(part)
    for key in ("additionalProperties", "items"):
        if isinstance(schema.get(key), dict):
            yield from members(schema[key])


@pytest.mark.parametrize("key", [*BROKEN, "idempotency"])
def test_a_page_tells_the_whole_promise(key: str) -> None:
    """A promise's page has its sections, each member of its annotation and each code of its findings."""
    told = text(FOLDER / f"{key}.md")
    assert [line.removeprefix("## ") for line in told.splitlines() if line.startswith("## ")] == SECTIONS
    assert [name for name in members(BY_KEY[key].annotation) if f"`{name}`" not in told] == []
    assert [code for code in CODES if code.startswith(f"{key}.") and f"`{code}`" not in told] == []


@pytest.mark.parametrize("key", BROKEN)
def test_an_example_is_examined(key: str) -> None:
    """The pet shop with the page's overlay keeps the promise; with a defect it is caught."""
    (block,) = blocks(FOLDER / f"{key}.md", "yaml")
    document = applied(pets(), yaml.safe_load(block.body), block.place)
    defect, code = BROKEN[key]
    name = OPERATIONS.get(key, "pebbles.list")

    def shop(*defects: str) -> Beach:
        return Beach(frozenset(defects), others=30, told=document, most=100, default=20)

    kept = examined(BY_KEY[key], shop(), name=name)
    assert (kept.status, kept.findings, kept.reason) == (Status.PASS, (), "")
    assert code in faults(examined(BY_KEY[key], shop(defect), name=name))


def test_every_page_stands_in_the_index() -> None:
    """The index leads to each page of the folder."""
    pages = {path.name for path in FOLDER.glob("*.md")} - {"README.md"}
    assert {name for name in pages if f"]({name})" not in text(FOLDER / "README.md")} == set()
