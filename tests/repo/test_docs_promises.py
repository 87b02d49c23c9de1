"""docs/promises: a page says all that an annotation takes and all that is found, and its example is kept and broken."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from harness.codes import CODES
from harness.contract.overlay import applied
from harness.promises.catalogue import BY_KEY
from harness.verdict import Status
from tests.repo.sources import blocks, text, tracked
from tests.unit.harness.promises import browser_api, bulk_api, gallery_api, key_api
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
# These four tell what they find, and what they cannot see, in one section, beside their example.
OTHERWISE = {"roles", "credentials", "owner", "tenant"}
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
SECTIONS = ["What it says", "What it sends", "What it finds", "What it cannot see", "An example"]


def members(schema: Any) -> Iterator[str]:
    """The name of every member that an annotation may have."""
    for name, part in (schema.get("properties") or {}).items():
        yield name
        yield from members(part)
    parts = [schema.get(key) for key in ("additionalProperties", "items")]
    for part in (*parts, *schema.get("oneOf", ())):
        if isinstance(part, dict):
            yield from members(part)


@pytest.mark.parametrize("key", BY_KEY)
def test_a_page_tells_the_whole_promise(key: str) -> None:
    """A promise's page has its sections, each member of its annotation and each code of its findings."""
    told = text(FOLDER / f"{key}.md")
    sections = [line.removeprefix("## ") for line in told.splitlines() if line.startswith("## ")]
    assert sections == SECTIONS or key in OTHERWISE
    words = {word for code in re.findall(r"`([^`\n]+)`", FENCED.sub("", told)) for word in re.findall(r"\w+", code)}
    assert set(members(BY_KEY[key].annotation)) - words == set()
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


@pytest.mark.parametrize(
    ("defect", "operation", "expected"),
    [
        ("drops taken", "pets.makeAll", "bulk.counts"),
        ("undoes", "pets.makeAll", "bulk.lost"),
        ("passes over", "pets.changeAll", "bulk.counts"),
        ("takes all", "pets.changeAll", "bulk.unknown"),
        ("refuses lists", "pets.makeAll", "bulk.refused"),
        ("refuses lists", "pets.changeAll", "bulk.refused"),
    ],
)
def test_many_at_once(defect: str, operation: str, expected: str) -> None:
    """Pets with the overlay of `bulk` are all accounted for; an API that passes over some is caught."""
    (block,) = blocks(FOLDER / "bulk.md", "yaml")
    document = applied(bulk_api.document(None, None), yaml.safe_load(block.body), block.place)
    kept = bulk_api.examined(bulk_api.Pets(told=document))
    assert {(item.status, item.findings, item.reason) for item in kept.values()} == {(Status.PASS, (), "")}
    broken = bulk_api.examined(bulk_api.Pets(frozenset({defect}), told=document))[operation]
    assert {finding.code for finding in broken.findings} == {expected}


@pytest.mark.parametrize(
    ("defect", "expected"),
    [
        ("any pixels", "upload.bounds"),
        ("any side", "upload.bounds"),
        ("any length", "upload.bounds"),
        ("off by one", "upload.refused"),
        ("half", "upload.broken"),
        ("keeps", "upload.kept"),
    ],
)
def test_pictures(defect: str, expected: str) -> None:
    """Pictures with the overlay of `upload` are taken within its bounds; an API that takes others is caught."""
    (block,) = blocks(FOLDER / "upload.md", "yaml")
    document = applied(gallery_api.document(None), yaml.safe_load(block.body), block.place)
    kept = gallery_api.examined(gallery_api.Gallery(told=document))
    assert {(item.status, item.findings, item.reason) for item in kept.values()} == {(Status.PASS, (), "")}
    broken = gallery_api.examined(gallery_api.Gallery(defect, document)).values()
    assert {finding.code for verdict in broken for finding in verdict.findings} == {expected}


@pytest.mark.parametrize("defect", ["revoked", "ended", "scope", "acts"])
def test_keys(defect: str) -> None:
    """Keys with the overlay of `key` end as they are told to; an API whose keys hold on is caught."""
    (block,) = blocks(FOLDER / "key.md", "yaml")
    document = applied(key_api.document(None), yaml.safe_load(block.body), block.place)
    kept = key_api.examined(key_api.Keys(told=document))
    assert (kept.status, kept.findings, kept.reason) == (Status.PASS, (), "")
    broken = key_api.examined(key_api.Keys(frozenset({defect}), told=document))
    assert {finding.code for finding in broken.findings} == {{"acts": "key.effect"}.get(defect, f"key.{defect}")}


def test_every_promise_has_its_page() -> None:
    """Each key of the catalogue has a page by its name, and each page is of a key."""
    assert {path.stem for path in tracked() if path.parent == FOLDER} - {"README"} == set(BY_KEY)


def test_the_index_has_the_pages_in_the_order_of_the_catalogue() -> None:
    """The index leads to the page of each promise, as a report orders them."""
    assert re.findall(r"^- \[`([\w-]+)`\]\(\1\.md\): ", text(FOLDER / "README.md"), re.MULTILINE) == list(BY_KEY)


@pytest.mark.parametrize(("defect", "kinds"), [("token", 2), ("origin", 1), ("DELETE", 3)])
def test_browsers(defect: str, kinds: int) -> None:
    """Browsers with the overlay of `cookie` write by their own pages; where others can have them write it is caught."""
    (block,) = blocks(FOLDER / "cookie.md", "yaml")
    plain = browser_api.document({})
    del plain["paths"]["/enter"]["post"]["x-promises"]
    plain["paths"]["/login"] = plain["paths"].pop("/enter")
    document = applied(plain, yaml.safe_load(block.body), block.place)
    assert browser_api.examined(browser_api.Notes(told=document)).status == "pass"
    found = browser_api.examined(browser_api.Notes(frozenset({defect}), document)).findings
    assert [item.code for item in found] == ["cookie.forged"] * kinds
