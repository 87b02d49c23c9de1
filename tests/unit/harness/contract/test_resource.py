"""Resources: declared ones as they are told, the rest from the paths."""

from __future__ import annotations

from typing import Any

import pytest

from harness.contract import Contract, Resource
from harness.contract.resource import singular


def operation(name: str, schema: Any = None) -> dict[str, Any]:
    """An operation that answers a body of this schema."""
    content = {"application/json": {"schema": schema or {"type": "object"}}}
    return {"operationId": name, "responses": {"200": {"description": "ok", "content": content}}}


def read(paths: dict[str, Any], **more: Any) -> Contract:
    """A contract of these paths."""
    return Contract.read({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths, **more}, "t")


LIST = {"type": "object", "properties": {"total": {"type": "integer"}, "rows": {"type": "array"}}}
PETS: dict[str, dict[str, Any]] = {
    "/pets": {"get": operation("pets.list", LIST), "post": operation("pets.add")},
    "/pets/{petId}": {
        "parameters": [{"name": "petId", "in": "path", "schema": {"type": "string"}}],
        "get": operation("pets.get", {"type": "object", "properties": {"petId": {"type": "string"}}}),
        "put": operation("pets.replace"),
        "patch": operation("pets.change"),
        "delete": operation("pets.remove"),
    },
}


def test_a_collection_and_its_item_are_a_resource() -> None:
    """POST and GET on a collection and methods on its item show what makes, reads, lists, changes and deletes."""
    (pet,) = read(PETS).resources
    assert pet == Resource(
        "pet",
        create="pets.add",
        read="pets.get",
        list="pets.list",
        update="pets.change",
        delete="pets.remove",
        id="/petId",
        items="/rows",
    )


def test_a_server_path_does_not_hide_it() -> None:
    """Where the API lies under a path, the resource is the same."""
    contract = read(PETS, servers=[{"url": "http://127.0.0.1/api/v1"}])
    assert [resource.name for resource in contract.resources] == ["pet"]
    assert contract.by_id["pets.get"].path == "/api/v1/pets/{petId}"


def test_what_is_declared_stands_before_what_is_inferred() -> None:
    """A declared resource is taken as told, and its operations are not shown again by their paths."""
    declared = {"animal": {"create": "pets.add", "read": "pets.get", "owner": "/ownerId"}}
    (animal,) = read(PETS, **{"x-promises": {"resource": declared}}).resources
    assert (animal.name, animal.owner, animal.declared, animal.delete) == ("animal", "/ownerId", True, "")


@pytest.mark.parametrize(
    "paths",
    [
        {"/pets": {"get": operation("pets.list")}, "/pets/{id}": {"get": operation("pets.get")}},
        {"/pets": {"post": operation("pets.add")}, "/pets/{id}": {"delete": operation("pets.remove")}},
        {"/a/{b}/pets": {"post": operation("pets.add")}, "/a/{b}/pets/{id}": {"get": operation("pets.get")}},
    ],
    ids=["no-post", "no-read", "nested"],
)
def test_what_cannot_be_made_and_read_by_itself_is_none(paths: dict[str, Any]) -> None:
    """Without a create, without a read, or below another thing, the paths alone show no resource."""
    assert read(paths).resources == ()


def test_a_body_that_is_the_list_has_an_empty_pointer() -> None:
    """Where a listing answers a bare array, its items are the body itself."""
    paths = {**PETS, "/pets": {**PETS["/pets"], "get": operation("pets.list", {"type": "array"})}}
    assert read(paths).resources[0].items == ""


def test_an_operation_knows_its_resource() -> None:
    """Each of its operations leads to the resource; another leads to none."""
    contract = read({**PETS, "/health": {"get": operation("health")}})
    assert {name: bool(contract.resource_of(name)) for name in ("pets.add", "pets.remove", "health")} == {
        "pets.add": True,
        "pets.remove": True,
        "health": False,
    }


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("categories", "category"), ("addresses", "address"), ("boxes", "box"), ("branches", "branch"),
        ("pets", "pet"), ("glass", "glass"), ("news", "new"), ("status", "statu"), ("sheep", "sheep"),
    ],
)  # fmt: skip
def test_one_of_many(word: str, expected: str) -> None:
    """The ordinary English plurals; the others come out as a stable name, which is all that is asked."""
    assert singular(word) == expected
