"""The document leaves nothing out: words, examples, links, headers, and every refusal that an operation answers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest

from reference_impl.errors import KINDS
from reference_impl.procedures.catalogue import PROCEDURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from conftest import Shop

    from reference_impl.contract.procedure import Procedure

ABSENT = "01980000-0000-7000-8000-00000000dead"
# What HTTP says of the body or the connection; OpenAPI 3.1 keeps Content-Type out of `headers`.
OF_HTTP = {"content-type", "content-length"}


def resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """The part that a reference names."""
    while "$ref" in part:
        target: Any = document
        for word in part["$ref"].removeprefix("#/").split("/"):
            target = target[word]
        part = target
    return part


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Operation id to operation."""
    return {one["operationId"]: one for item in document["paths"].values() for one in item.values()}


def contents(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body of an operation: `body` or the status, and the media object."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        yield "body", media
    for status, response in operation["responses"].items():
        for media in resolved(document, response).get("content", {}).values():
            yield status, media


def examples(media: dict[str, Any]) -> list[Any]:
    """The examples of a body."""
    return [media["example"]] if "example" in media else [one["value"] for one in media.get("examples", {}).values()]


def test_everything_has_words(shop: Shop) -> None:
    """Tags, operations and responses say what they are, each parameter too; no summary stands twice."""
    document = json.loads(shop.application.document)
    tags = {tag["name"] for tag in document["tags"] if tag["description"]}
    found = operations(document)
    for name, operation in found.items():
        assert set(operation["tags"]) <= tags
        for parameter in operation["parameters"]:
            assert resolved(document, parameter)["description"], (name, parameter)
        assert all(resolved(document, one)["description"] for one in operation["responses"].values())
    assert len({operation["summary"] for operation in found.values()}) == len(found)


def test_every_body_has_examples_that_fit(shop: Shop) -> None:
    """Each request body, answer and code of an error shows a value that its schema takes, and none is `text`."""
    document = json.loads(shop.application.document)
    for name, operation in operations(document).items():
        for place, media in contents(document, operation):
            schema = {**media["schema"], "components": document["components"]}
            validator = jsonschema_rs.validator_for(schema, validate_formats=True)
            assert examples(media), (name, place)
            for value in examples(media):
                validator.validate(value)
                assert '"text"' not in json.dumps(value), (name, place)
    codes = {
        value["error"]["code"]
        for operation in operations(document).values()
        for place, media in contents(document, operation)
        if place not in {"body", "304"} and int(place) >= 400
        for value in examples(media)
    }
    outside = {"METHOD_NOT_ALLOWED", "RANGE_NOT_SATISFIABLE", "UPGRADE_REQUIRED", "BAD_GATEWAY"}
    assert codes == set(KINDS) - outside


def test_parameters_show_values_that_fit(shop: Shop) -> None:
    """Each path parameter has an example; each example and default is valid."""
    document = json.loads(shop.application.document)
    for name, operation in operations(document).items():
        for parameter in operation["parameters"]:
            parameter = resolved(document, parameter)  # noqa: PLW2901 - the same, followed
            schema = parameter["schema"]
            shown = [*schema.get("examples", []), *(parameter[word] for word in ("example",) if word in parameter)]
            assert shown or parameter["in"] != "path", name
            for value in [*shown, *(schema[word] for word in ("default",) if word in schema)]:
                jsonschema_rs.validator_for(schema, validate_formats=True).validate(value)


def test_what_is_made_links_to_all_that_takes_its_id(shop: Shop) -> None:
    """The answer of a create has a link to each operation on the thing that was made."""
    document = json.loads(shop.application.document)
    for procedure in PROCEDURES:
        if "Location" not in procedure.response_headers or procedure.id == "products.uploadImage":
            continue
        noun = procedure.id.split(".")[0].replace("auth", "users")
        taking = {
            one.id
            for one in PROCEDURES
            if "{id}" in one.path
            and _noun(one) == noun
            and (one.access.roles != ("admin",) or not procedure.access.open)
        }
        linked = {
            link["operationId"]
            for link in operations(document)[procedure.id]["responses"][str(procedure.status)]["links"].values()
        }
        assert linked == taking, procedure.id


def _noun(procedure: Procedure) -> str:
    return procedure.path.partition("/{id}")[0].rsplit("/", 1)[1]


def test_paths_outside_are_told_in_prose(shop: Shop) -> None:
    """Each path that is served and is no operation stands in the description."""
    document = json.loads(shop.application.document)
    told = set(re.findall(r"`(/[^`]*)`", document["info"]["description"]))
    for path in (
        "/health",
        "/ready",
        "/metrics",
        "/docs",
        "/openapi.json",
        "/asyncapi.json",
        "/files/{tenant}/{name}",
        "/api/v1/ws",
        "/api/rpc/*",
    ):
        assert path in told


def asked(procedure: Procedure) -> dict[str, Any]:
    """A body that the operation takes, as httpx sends it."""
    if procedure.input is None:
        return {}
    return {"files": {"image": ("a.jpg", b"none", "image/jpeg")}} if procedure.multipart else {"json": {}}


def refusals(shop: Shop, procedure: Procedure) -> Iterator[httpx.Response]:
    """What one operation answers to whom it does not serve, and to what it does not take."""
    path = f"/api/v1{procedure.path.replace('{id}', ABSENT)}"
    user = shop.account()
    whole = asked(procedure)
    yield shop.send(procedure.method, path, **whole)
    yield shop.send(procedure.method, path, headers={"Authorization": "Bearer x"})
    yield shop.send(procedure.method, path, headers={"Cookie": "session=x"})
    yield shop.send(procedure.method, path, headers={"Authorization": f"Bearer {user.token}", "X-Tenant-ID": "nowhere"})
    yield shop.send(procedure.method, path, headers={"Authorization": f"Bearer {user.token}", "X-Tenant-ID": "beta"})
    yield shop.send(procedure.method, path, user, headers={"Content-Length": "99999999999"})
    for by in (user, shop.admin):
        yield shop.send(procedure.method, path, by, params={"nothing": "1"}, **whole)
        if not procedure.stream:
            yield shop.send(procedure.method, path, by, **whole)
        yield shop.send(procedure.method, path, by, headers={"Accept": "image/png"}, **whole)
        if procedure.input is not None:
            yield shop.send(procedure.method, path, by, content=b"a", headers={"Content-Type": "text/plain"})
            yield shop.send(procedure.method, path, by)


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda one: one.id)
def test_refusals_are_as_documented(shop: Shop, procedure: Procedure) -> None:
    """Nobody, a wrong role, an unknown id, tenant or parameter, a media type, Accept: all of the answer is told."""
    document = json.loads(shop.application.document)
    responses = operations(document)[procedure.id]["responses"]
    seen = set()
    for answer in refusals(shop, procedure):
        status = str(answer.status_code)
        seen.add(answer.status_code)
        assert status in responses, (procedure.id, status, answer.text)
        response = resolved(document, responses[status])
        told = {name.lower(): resolved(document, one) for name, one in response["headers"].items()}
        assert set(answer.headers) - OF_HTTP <= set(told), (procedure.id, status)
        required = {name for name, one in told.items() if one.get("required")}
        assert required <= set(answer.headers), (procedure.id, status)
        if "content" in response:
            kind = answer.headers["content-type"]
            schema = {**response["content"][kind]["schema"], "components": document["components"]}
            jsonschema_rs.validator_for(schema).validate(answer.json())
    expected = {400, 401, 404, 413} | ({415} if procedure.input else set()) | ({406} if procedure.output else set())
    assert expected <= seen, procedure.id
