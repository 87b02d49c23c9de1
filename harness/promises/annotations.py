"""Checks `x-promises` whole: every annotation against its promise's schema and against the operations that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema_rs

from harness.contract.pointer import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.contract import Contract
    from harness.promises.promise import Promise

OPERATION_MEMBERS = {"create", "read", "list", "update", "delete", "restore", "operation", "given", "revoke", "out"}
OPERATION_LISTS = {"then", "lists", "writes", "references"}
RESOURCE_MEMBER = "resource"
METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY"}


def problems(contract: Contract, promises: Sequence[Promise]) -> list[str]:
    """What is wrong with the contract's promises, each with its place, value, rule and fix."""
    found = list(_entries(contract.document.get("x-promises"), "x-promises", promises, on_document=True))
    for operation in contract.operations:
        place = f"{operation.method} {operation.path} x-promises"
        found += _entries(operation.promises or None, place, promises, on_document=False)
    return found + list(_references(contract))


def _entries(value: Any, place: str, promises: Sequence[Promise], *, on_document: bool) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, dict):
        yield f"{place} is {value!r}; it must be an object with a key a promise"
        return
    known = {promise.key: promise for promise in promises}
    for key, entry in value.items():
        promise = known.get(key)
        if promise is None:
            yield f"{place} has the unknown key {key!r}; known are {', '.join(sorted(known))}"
        elif not (promise.on_document if on_document else promise.on_operation):
            where = "an operation" if on_document else "the document"
            yield f"{place}.{key} stands in the wrong place; it belongs to {where}"
        elif entry is not False:
            for error in jsonschema_rs.Draft202012Validator(dict(promise.annotation)).iter_errors(entry):
                path = "".join(f".{part}" for part in error.instance_path)
                yield f"{place}.{key}{path}: {error.message}"


def _references(contract: Contract) -> Iterator[str]:
    """Names of operations and resources in promises that the contract does not have."""
    declared = contract.defaults.get(RESOURCE_MEMBER)
    entries: list[tuple[str, Any]] = [("x-promises.resource", declared)] if isinstance(declared, dict) else []
    entries += [(f"{item.method} {item.path} x-promises", item.promises) for item in contract.operations]
    names = {resource.name for resource in contract.resources}
    for place, entry in entries:
        for at, value in leaves(entry):
            *_, above, member = ("", *at.split("/"))
            where = f"{place}{at.replace('/', '.')}"
            if (
                (member in OPERATION_MEMBERS or above in OPERATION_LISTS)
                and isinstance(value, str)
                and value not in contract.by_id
            ):
                yield f"{where} is {value!r}, which is no operationId of the document; compare the spelling"
            granted = "/key/grants/" in f"/{at}"
            if granted and isinstance(value, str) and value not in {*contract.by_id, *METHODS}:
                yield f"{where} is {value!r}, which is no method and no operationId of the document"
            if member == RESOURCE_MEMBER and isinstance(value, str) and value not in names:
                yield f"{where} is {value!r}, which is no resource; known are {', '.join(sorted(names)) or 'none'}"
