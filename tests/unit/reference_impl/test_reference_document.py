"""The document is valid, complete, and says what is served."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema_rs
from openapi_spec_validator import validate

from reference_impl.errors import KINDS
from reference_impl.procedures.catalogue import PROCEDURES

if TYPE_CHECKING:
    from conftest import Shop

METHODS = ("get", "post", "patch", "delete", "put")


def operations(document: dict[str, Any]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Return operation id to method, path, operation."""
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def test_the_document_validates(shop: Shop) -> None:
    """It is OpenAPI 3.1 by the specification's own schema."""
    validate(json.loads(shop.application.document))


def test_every_procedure_stands_in_it_and_every_path_is_served(shop: Shop) -> None:
    """Document, procedures and routes are the same set; other methods of each path are 405."""
    document = shop.send("GET", "/openapi.json").json()
    declared = {(one.id, one.method, f"/api/v1{one.path}") for one in PROCEDURES}
    assert {(name, method, path) for name, (method, path, _) in operations(document).items()} == declared
    for path, item in document["paths"].items():
        target = re.sub(r"\{id\}", "01980000-0000-7000-8000-000000000000", path)
        for method in METHODS:
            refused = shop.send(method.upper(), target).status_code == 405
            assert refused == (method not in item), (method, path)


def test_examples_fit_their_schemas(shop: Shop) -> None:
    """Every body and response example is valid by the document's own schema."""
    document = json.loads(shop.application.document)
    for name, (_, _, operation) in operations(document).items():
        contents = [response.get("content", {}) for response in operation["responses"].values()]
        contents.append(operation.get("requestBody", {}).get("content", {}))
        for content in contents:
            for media_type, media in content.items():
                if media_type == "text/event-stream":  # the schema is that of an event's data, no example of a stream
                    continue
                schema = {**media["schema"], "components": document["components"]}
                jsonschema_rs.validator_for(schema).validate(json.loads(json.dumps(media["example"])))
                assert media["example"], name


def test_served_answers_are_as_documented(shop: Shop) -> None:
    """Status, required headers and body of real answers are those the document gives."""
    document = json.loads(shop.application.document)
    found = operations(document)
    seller = shop.account("seller")
    product = shop.product(seller)
    path = f"/products/{product['id']}"
    order = shop.order(seller, (product["id"], 1))
    samples = [
        ("auth.me", shop.send("GET", "/auth/me", seller)),
        ("auth.register", shop.send("POST", "/auth/register", json={})),
        ("products.list", shop.send("GET", "/products")),
        ("products.get", shop.send("GET", path)),
        ("products.update", shop.send("PATCH", path, seller, json={"name": "B"})),
        ("products.update", shop.send("PATCH", path, seller, json={"name": "B", "version": 2})),
        ("orders.create", order),
        ("orders.create", shop.order(seller, (product["id"], 900))),
        ("orders.list", shop.send("GET", "/orders", seller)),
        ("orders.get", shop.send("GET", f"/orders/{order.json()['id']}", seller)),
        ("orders.cancel", shop.send("POST", f"/orders/{order.json()['id']}/cancel", seller)),
        ("users.list", shop.send("GET", "/users", seller)),
        ("users.create", shop.send("POST", "/users", seller, json={})),
        ("categories.list", shop.send("GET", "/categories")),
        ("products.delete", shop.send("DELETE", path, seller)),
    ]
    for name, answer in samples:
        response = found[name][2]["responses"][str(answer.status_code)]
        if "$ref" in response:
            response = document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
        for header in response["headers"]:
            required = document["components"]["headers"][header].get("required", False)
            assert not required or header in answer.headers, (name, header)
        if "content" in response:
            schema = {**response["content"]["application/json"]["schema"], "components": document["components"]}
            jsonschema_rs.validator_for(schema).validate(answer.json())


def test_the_promises_state_the_limits_in_force(shop: Shop) -> None:
    """Quota and window come from the settings; codes of the envelope are the catalogue's."""
    document = json.loads(shop.application.document)
    root = document["x-promises"]
    assert root["rate-limit"] == [
        {
            "name": "api.global",
            "quota": 100_000,
            "window_s": 4,
            "scope": ["user", "address"],
            "per_tenant": True,
            "algorithm": "sliding",
            "headers": "draft-6",
            "reset": "delta",
            "exempt": ["admin"],
        }
    ]
    create = operations(document)["products.create"][2]["x-promises"]
    assert create["roles"] == {"allow": ["seller", "admin"], "anonymous": 401, "refused": 403}
    assert create["rate-limit"][0]["quota"] == 10_000
    members = [member for resource in root["resource"].values() for member in resource.values()]
    known = {member for member in members if isinstance(member, str) and "." in member}
    assert known <= set(operations(document))
    assert set(document["components"]["schemas"]["ErrorBody"]["properties"]["code"]["enum"]) == set(KINDS)
