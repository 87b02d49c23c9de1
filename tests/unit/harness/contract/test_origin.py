"""The line of a contract at which something was written: in the document or in an overlay, as JSON and as YAML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import pointer
from harness.contract.origin import Origin, Source
from harness.contract.positions import positions

if TYPE_CHECKING:
    from pathlib import Path

KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)
BOOK = "/paths/~1books~1{id}"
DOCUMENT = """\
openapi: 3.1.0
info: {title: shelf, version: "1"}
paths:
  /books/{id}:
    get:
      operationId: getBook
      responses:
        200:
          description: one
        default: &error
          description: an error
    put:
      operationId: putBook
      tags: [a, b]
      responses:
        409: *error
"""
OVERLAY = """\
overlay: 1.0.0
info: {title: promises, version: "1"}
actions:
  - target: $
    update:
      x-promises:
        headers:
          X-A: {}
  - target: $.paths['/books/{id}'].*
    update:
      x-promises:
        roles:
          allow: [user]
  - target: $.paths['/books/{id}'].put.tags
    update: c
"""
SECOND = '{"overlay": "1.0.0", "info": {"title": "more", "version": "1"}, "actions": [\n  {"target": "$.paths.*.put",\n   "update": {"x-promises": {\n      "roles": {"allow": ["admin"]}}}}]}'  # noqa: E501 - a text of JSON


def below(value: Any, at: str = "") -> set[str]:
    """Every pointer of a value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {at}.union(*(below(member, f"{at}/{pointer.escape(str(name))}") for name, member in members))


@given(VALUES, st.sampled_from([None, 1, 4]))
def test_json_has_a_position_for_each_pointer(value: Any, indent: int | None) -> None:
    """Every pointer of a JSON text has a line and a column, and there its member's name begins."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    found = positions(text.encode())
    rows = text.split("\n")
    assert set(found) == below(value)
    for at, (line, column) in found.items():
        name = (pointer.tokens(at) or [""])[-1]
        holder = pointer.get(value, at.rpartition("/")[0])
        assert (
            not at
            or not isinstance(holder, dict)
            or rows[line - 1][column - 1 :].startswith(json.dumps(name, ensure_ascii=False))
        )


@given(st.dictionaries(st.from_regex(r"m[a-z]{1,5}", fullmatch=True), VALUES, min_size=1, max_size=4))
def test_yaml_has_the_lines_of_its_members(value: dict[str, Any]) -> None:
    """Each member at the top of a YAML text stands on its line."""
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
    found = positions(text.encode())
    rows = text.split("\n")
    assert {f"/{name}" for name in value} <= set(found)
    assert [name for name in value if not rows[found[f"/{name}"][0] - 1].startswith(f"{name}:")] == []


@pytest.mark.parametrize("text", [b"\xff\xfe", b"a: [", b""])
def test_a_text_that_is_neither_has_no_lines(text: bytes) -> None:
    """What cannot be read has no positions, and nothing is raised."""
    assert positions(text) == {}


@pytest.mark.parametrize(
    ("at", "source", "place", "line"),
    [
        ("", "shelf.yaml", "", 1),
        (f"{BOOK}/get", "shelf.yaml", f"{BOOK}/get", 5),
        (f"{BOOK}/get/responses/200", "shelf.yaml", f"{BOOK}/get/responses/200", 8),
        (f"{BOOK}/get/responses/200/content", "shelf.yaml", f"{BOOK}/get/responses/200", 8),
        (f"{BOOK}/put/responses/409/description", "shelf.yaml", f"{BOOK}/put/responses/409/description", 11),
        ("/x-promises/headers/X-A", "one.yaml", "/actions/0/update/x-promises/headers/X-A", 8),
        (f"{BOOK}/get/x-promises/roles/allow", "one.yaml", "/actions/1/update/x-promises/roles/allow", 13),
        (f"{BOOK}/put/x-promises/roles/allow", "two.json", "/actions/0/update/x-promises/roles/allow", 4),
        (f"{BOOK}/put/tags/1", "shelf.yaml", f"{BOOK}/put/tags/1", 14),
        (f"{BOOK}/put/tags/2", "one.yaml", "/actions/2/update", 15),
    ],
)  # fmt: skip
def test_a_part_is_found_where_it_was_written(at: str, source: str, place: str, line: int) -> None:
    """The deepest part that some text holds: an overlay's where one wrote it, the last one's where several did."""
    texts = (("shelf.yaml", DOCUMENT), ("one.yaml", OVERLAY), ("two.json", SECOND))
    origin = Origin([Source(name, text.encode()) for name, text in texts])
    found = origin.place(at)
    assert (found.source, found.pointer, found.line) == (source, place, line)


def test_an_overlay_on_a_2_0_document_has_its_lines() -> None:
    """An overlay meets the 3.0 form of a 2.0 document; what it adds is found in it, the rest where 2.0 wrote it."""
    body = {"name": "book", "in": "body", "schema": {"type": "object"}}
    put = {"parameters": [body], "responses": {"200": {"description": "a book"}}}
    document = {"swagger": "2.0", "info": {"title": "shelf", "version": "1"}, "paths": {"/books": {"put": put}}}
    target = "$.paths['/books'].put.requestBody.content['application/json'].schema"
    overlay = (
        "overlay: 1.0.0\ninfo: {title: one, version: '1'}\nactions:\n"
        f'  - target: "{target}"\n    update: {{ required: [name] }}\n'
    )
    origin = Origin([Source("two.json", json.dumps(document, indent=1).encode()), Source("one.yaml", overlay.encode())])
    at = "/paths/~1books/put"
    added = origin.place(f"{at}/requestBody/content/application~1json/schema/required")
    assert (added.source, added.pointer, added.line) == ("one.yaml", "/actions/0/update/required", 5)
    kept = origin.place(f"{at}/requestBody")
    assert (kept.source, kept.pointer) == ("two.json", at)


def test_a_run_keeps_its_texts(tmp_path: Path) -> None:
    """What was read lies in the run's folder as it was, under names that cannot leave it; an old run has none."""
    overlay = tmp_path / "one.yaml"
    overlay.write_text(OVERLAY)
    assert Origin.kept(tmp_path) is None
    Origin.of(Source("http://127.0.0.1:9/../openapi.yaml?x=/y", DOCUMENT.encode()), [overlay]).keep(tmp_path)
    kept = Origin.kept(tmp_path)
    assert kept is not None
    assert [source.text.decode() for source in kept.sources] == [DOCUMENT, OVERLAY]
    assert kept.place("/x-promises/headers").line == 7
    assert sorted(path.name for path in (tmp_path / "sources").iterdir()) == [
        "0-openapi.yaml",
        "1-one.yaml",
        "index.json",
    ]
