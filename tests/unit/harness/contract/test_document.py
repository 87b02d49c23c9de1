"""Documents: JSON or YAML, OpenAPI 3.0 or 3.1, and what is told of anything else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Contract, document
from harness.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

SMALL: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "2026-01-01"},
    "paths": {"/a": {"get": {"responses": {"200": {"description": "ok"}}}}},
}


def thirty(schema: Any) -> dict[str, Any]:
    """An OpenAPI 3.0 document with one schema."""
    return {**SMALL, "openapi": "3.0.3", "components": {"schemas": {"S": schema}}}


@pytest.mark.parametrize("text", [json.dumps(SMALL), yaml.safe_dump(SMALL)], ids=["json", "yaml"])
def test_both_notations_are_read_alike(tmp_path: Path, text: str) -> None:
    """A document in JSON and one in YAML are the same value; a date stays a text."""
    path = tmp_path / "openapi"
    path.write_text(text)
    assert document.read_file(path) == SMALL
    assert document.parsed(b"version: 2026-01-01", "t") == {"version": "2026-01-01"}


@given(st.binary())
def test_any_bytes_are_a_value_or_a_usage_error(text: bytes) -> None:
    """Bytes from a target never end in another exception, and most are no document."""
    try:
        value = document.parsed(text, "answer")
    except UsageError:
        return
    assert document.problems(value)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "a document is an object"),
        ([], "a document is an object"),
        ({"swagger": "2.0"}, "paths is None"),
        ({"swagger": "1.2", "paths": {"/": {}}}, "swagger is '1.2'"),
        ({"openapi": "3.1.0"}, "paths is None"),
        ({"openapi": 3.2, "paths": {"/": {}}}, "openapi is 3.2"),
        ({**SMALL, "paths": {"a": {}}}, "begins with a slash"),
        ({**SMALL, "paths": {"/a": []}}, "must be an object"),
        ({**SMALL, "paths": {}}, "at least one path"),
    ],
)
def test_what_is_no_openapi_document_is_told(value: Any, told: str) -> None:
    """The message shows the value, the rule and the fix."""
    with pytest.raises(UsageError, match=told):
        document.resolved(value, "openapi.json")


def test_every_problem_is_told_at_once() -> None:
    """A wrong version, a wrong path and a wrong item stand in one message."""
    with pytest.raises(UsageError) as told:
        document.resolved({"openapi": "2", "paths": {"a": 1}}, "openapi.json")
    assert len(told.value.problems) == 3


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """The message names the path."""
    with pytest.raises(UsageError, match=r"none\.yaml cannot be read"):
        document.read_file(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "string", "nullable": True}, ["a", None], [1]),
        ({"type": "string", "nullable": False}, ["a"], [None]),
        ({"type": "string", "enum": ["a"], "nullable": True}, ["a", None], ["b"]),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, [2], [1]),
        ({"type": "integer", "maximum": 9, "exclusiveMaximum": False}, [9], [10]),
        ({"allOf": [{"type": "object"}], "nullable": True}, [{}, None], [1]),
        ({"type": "object", "properties": {"nullable": {"type": "boolean"}}}, [{"nullable": True}], [{"nullable": 1}]),
        ({"type": "object", "properties": {"example": {"type": "string", "nullable": True}}}, [{"example": None}], []),
    ],
)
def test_a_schema_of_3_0_means_what_it_meant(schema: Any, good: list[Any], bad: list[Any]) -> None:
    """`nullable` and boolean bounds take and refuse the same values in the newer dialect; members so named stay."""
    modern = document.resolved(thirty(schema), "t")["components"]["schemas"]["S"]
    validator = jsonschema_rs.Draft202012Validator(modern)
    assert [value for value in good if not validator.is_valid(value)] == []
    assert [value for value in bad if validator.is_valid(value)] == []


def test_an_operation_without_an_id_is_named_as_people_write_it() -> None:
    """The name has the method in capitals, as reports show the place of an operation."""
    contract = Contract.read({"openapi": "3.1.0", "paths": {"/notes": {"get": {"responses": {}}}}}, "t")
    assert [operation.id for operation in contract.operations] == ["GET /notes"]


def test_two_operations_of_one_name_are_refused() -> None:
    """An operationId that stands twice would make findings ambiguous."""
    item = {"operationId": "same", "responses": {}}
    with pytest.raises(UsageError, match="more than once"):
        Contract.read({**SMALL, "paths": {"/a": {"get": item}, "/b": {"get": item}}}, "t")


def test_an_overlay_that_misses_a_2_0_document_is_told_what_it_meets(tmp_path: Path) -> None:
    """The message of an overlay written for OpenAPI 2.0's own words says which form it meets; of 3.1 nothing more."""
    overlay = tmp_path / "overlay.yaml"
    action = {"target": "$.paths['/a'].get.parameters", "remove": True}
    overlay.write_text(json.dumps({"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": [action]}))
    two = {**{key: value for key, value in SMALL.items() if key != "openapi"}, "swagger": "2.0"}
    with pytest.raises(UsageError, match=r"requestBody\.content"):
        document.resolved(two, "t", [overlay])
    with pytest.raises(UsageError, match="does not fit the contract") as raised:
        document.resolved(SMALL, "t", [overlay])
    assert len(raised.value.problems) == 1


def test_what_an_overlay_takes_out_is_remembered(tmp_path: Path) -> None:
    """A request of a removed operation is known as one, by the template that names it best, and no other is."""
    paths = {
        "/users/{id}": {"get": {"responses": {}}, "delete": {"responses": {}}, "put": {"responses": {}}},
        "/users/me": {"put": {"responses": {}}},
        "/stop": {"post": {"responses": {}}},
    }
    overlay = tmp_path / "overlay.yaml"
    targets = ("$.paths['/users/{id}'].delete", "$.paths['/users/me'].put", "$.paths['/stop']")
    actions = [{"target": target, "remove": True} for target in targets]
    overlay.write_text(json.dumps({"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": actions}))
    document = {"openapi": "3.1.0", "info": {}, "servers": [{"url": "/v1"}], "paths": paths}
    contract = Contract.read(document, "users", overlays=[overlay])
    removed = ("DELETE /v1/users/7", "PUT /v1/users/me", "POST /v1/stop")
    kept = ("PUT /v1/users/7", "GET /v1/users/7", "PUT /v1/x")
    told = {line: contract.is_removed(*line.split()) for line in (*removed, *kept)}
    assert told == dict.fromkeys(removed, True) | dict.fromkeys(kept, False)
