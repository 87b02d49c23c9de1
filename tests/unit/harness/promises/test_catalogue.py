"""What a contract declares of an operation: what must be examined, or the run is not a whole one."""

from __future__ import annotations

from typing import Any

from harness.contract import Contract
from harness.promises.catalogue import declared

FINE = {"200": {"description": ""}}
ERRING = {**FINE, "404": {"description": ""}}


def contract(promises: dict[str, Any]) -> Contract:
    """A shop of things and of boxes; only what has an id documents an error."""
    paths: dict[str, Any] = {}
    for name in ("thing", "box"):
        whole = {"post": "create", "get": "list"}.items()
        paths[f"/{name}s"] = {method: {"operationId": f"{name}.{verb}", "responses": FINE} for method, verb in whole}
        paths[f"/{name}s/{{id}}"] = {"get": {"operationId": f"{name}.get", "responses": ERRING}}
    return Contract.read({"openapi": "3.1.0", "info": {}, "paths": paths, "x-promises": promises}, "shop")


def test_a_resource_that_only_the_paths_show_is_not_declared() -> None:
    """Of a resource beside the declared ones nobody promised anything: not examining it costs no exit code."""
    shop = contract({"resource": {"thing": {"create": "thing.create", "read": "thing.get"}}})
    told = {name for name, operation in shop.by_id.items() if declared(shop, "resource", operation)}
    assert told == {"thing.create", "thing.get"}


def test_an_envelope_of_the_document_binds_what_documents_an_error() -> None:
    """An operation that knows no error has none to show."""
    shop = contract({"envelope": {"schema": {}}})
    told = {name for name, operation in shop.by_id.items() if declared(shop, "envelope", operation)}
    assert told == {"thing.get", "box.get"}
