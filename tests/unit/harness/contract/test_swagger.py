"""OpenAPI 2.0 documents in the words of 3.0: what each part becomes, and that the whole is valid."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate

from harness.contract import Contract
from harness.contract.swagger import converted
from harness.errors import UsageError

PET = {
    "type": "object",
    "required": ["kind", "name"],
    "discriminator": "kind",
    "properties": {
        "kind": {"type": "string"},
        "name": {"type": "string", "maxLength": 20},
        "owner": {"$ref": "#/definitions/Owner", "x-nullable": True},
        "discriminator": {"type": "string"},
    },
}
SHOP: dict[str, Any] = {
    "swagger": "2.0",
    "info": {"title": "Pets", "version": "1"},
    "host": "pets.example.test",
    "basePath": "/v1/",
    "schemes": ["https"],
    "consumes": ["application/json"],
    "produces": ["application/json"],
    "securityDefinitions": {
        "basic": {"type": "basic"},
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "oauth": {
            "type": "oauth2",
            "flow": "accessCode",
            "authorizationUrl": "https://a.example.test",
            "tokenUrl": "https://b.example.test",
            "scopes": {"read": "reads"},
        },
    },
    "parameters": {"limit": {"name": "limit", "in": "query", "type": "integer", "maximum": 100}},
    "responses": {"Gone": {"description": "It is gone.", "schema": {"$ref": "#/definitions/Owner"}}},
    "definitions": {"Pet": PET, "Owner": {"type": "object", "properties": {"friend": {"$ref": "#/definitions/Owner"}}}},
    "paths": {
        "/pets": {
            "parameters": [{"$ref": "#/parameters/limit"}],
            "get": {
                "operationId": "pets.list",
                "parameters": [
                    {
                        "name": "tags",
                        "in": "query",
                        "type": "array",
                        "items": {"type": "string"},
                        "collectionFormat": "multi",
                    }
                ],
                "responses": {
                    "200": {
                        "description": "All.",
                        "schema": {"type": "array", "items": {"$ref": "#/definitions/Pet"}},
                        "headers": {"X-Total": {"type": "integer", "description": "how many"}},
                        "examples": {"application/json": []},
                    }
                },
            },
            "post": {
                "operationId": "pets.create",
                "security": [{"key": []}],
                "parameters": [
                    {"name": "pet", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Pet"}}
                ],
                "responses": {"201": {"description": "Made."}, "410": {"$ref": "#/responses/Gone"}},
            },
        },
        "/pets/{id}/photo": {
            "put": {
                "operationId": "pets.photo",
                "consumes": ["multipart/form-data"],
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "type": "string"},
                    {"name": "photo", "in": "formData", "type": "file", "required": True},
                    {"name": "note", "in": "formData", "type": "string", "maxLength": 9},
                ],
                "responses": {"204": {"description": "Kept."}},
            }
        },
    },
}  # fmt: skip


def test_the_whole_is_valid() -> None:
    """An independent validator accepts it as OpenAPI 3.0."""
    validate(converted(SHOP))


def test_the_contract_has_what_the_document_says() -> None:
    """Paths with their base, parameters, bodies, forms, headers and security."""
    contract = Contract.read(SHOP, "pets")
    listing, creation, photo = contract.operations
    assert [item.path for item in contract.operations] == ["/v1/pets", "/v1/pets", "/v1/pets/{id}/photo"]
    assert [(item.name, item.schema["type"]) for item in listing.parameters] == [
        ("limit", "integer"),
        ("tags", "array"),
    ]
    body = creation.json_body()
    assert body is not None
    assert (creation.body_required, creation.secured, listing.secured) == (True, True, False)
    assert body.schema["discriminator"] == {"propertyName": "kind"}
    assert body.schema["properties"]["discriminator"] == {"type": "string"}
    form = photo.form_body()
    assert form is not None
    assert form.media_type == "multipart/form-data"
    assert form.schema["properties"]["photo"] == {"type": "string", "format": "binary"}
    assert form.schema["required"] == ["photo"]
    answer = listing.answer(200)
    assert answer is not None
    assert [name for name, _ in answer.header_pointers] == ["X-Total"]
    gone = creation.answer(410)
    assert gone is not None
    assert gone.bodies[0].schema["properties"]["friend"] == {"$ref": "#/components/schemas/Owner"}


@pytest.mark.parametrize(
    ("form", "style"),
    [
        ("csv", ("form", False)),
        ("multi", ("form", True)),
        ("ssv", ("spaceDelimited", False)),
        ("pipes", ("pipeDelimited", False)),
        (None, ("form", False)),
    ],
)
def test_lists_in_a_query_keep_their_form(form: str | None, style: tuple[str, bool]) -> None:
    """`collectionFormat` becomes style and explode."""
    told = {"name": "tags", "in": "query", "type": "array", "items": {"type": "string"}}
    operation = {"parameters": [{**told, **({"collectionFormat": form} if form else {})}], "responses": {}}
    found = converted({**SHOP, "paths": {"/x": {"get": operation}}})["paths"]["/x"]["get"]["parameters"][0]
    assert (found["style"], found["explode"]) == style
    assert "collectionFormat" not in found


WORDS = [
    "paths", "/a", "get", "post", "parameters", "requestBody", "content", "application/json", "responses", "200",
    "schema", "headers", "$ref", "in", "name", "examples", "example", "servers", "variables", "url", "security",
    "links", "encoding",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=14,
)
PARTS = st.dictionaries(
    st.sampled_from(
        [
            "definitions",
            "responses",
            "parameters",
            "consumes",
            "securityDefinitions",
            "servers",
            "components",
            "security",
        ]
    ),
    JSON,
)


@pytest.mark.parametrize("version", [{"swagger": "2.0"}, {"openapi": "3.0.3"}, {"openapi": "3.1.0"}])
@given(parts=PARTS, item=JSON)
def test_a_broken_document_is_told_and_not_fallen_over(
    version: dict[str, Any], parts: dict[str, Any], item: Any
) -> None:
    """Whatever stands where something else belongs, it is a contract or a message."""
    try:
        contract = Contract.read({**version, "paths": {"/a": item}, **parts}, "broken")
    except UsageError as error:
        assert str(error)  # noqa: PT017 - a message is an answer too
    else:
        assert all(operation.path.endswith("/a") for operation in contract.operations)
