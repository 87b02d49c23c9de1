"""The contract of a run: an OpenAPI document with its promises, read once and never changed."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import jsonschema_rs

from harness.contract import document as documents
from harness.contract import parse, pointer
from harness.contract.makers import shown
from harness.contract.prerequisites import Prerequisites
from harness.contract.resource import Resource, resources
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.contract.operation import Operation

ROOT = "urn:contract"
ADDING = {"rate-limit"}


class Contract:
    """Operations by id, resources, promises, and validators for the document's schemas.

    `document` is an OpenAPI document in the 3.1 dialect, overlays applied (see `read`).
    """

    def __init__(self, document: Mapping[str, Any], *, base_path: str | None = None) -> None:
        self.document = document
        self.base_path = parse.server_path(document) if base_path is None else base_path
        self.operations: tuple[Operation, ...] = parse.operations(document, self.base_path)
        self.by_id = {operation.id: operation for operation in self.operations}
        self.defaults: Mapping[str, Any] = document.get("x-promises") or {}
        self._validators: dict[str, jsonschema_rs.Draft202012Validator | None] = {}

    @classmethod
    def read(cls, value: Any, name: str, *, overlays: Sequence[Path] = (), base_path: str | None = None) -> Contract:
        """The contract of a parsed document; raises UsageError with every problem of document and overlays."""
        contract = cls(documents.resolved(value, name, overlays), base_path=base_path)
        double = {item.id for item in contract.operations if contract.by_id[item.id] is not item}
        if double:
            raise UsageError(
                f"{name} names two operations alike",
                [
                    f"operationId {item!r} stands more than once; it must be unique, rename one"
                    for item in sorted(double)
                ],
            )
        return contract

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON of the document with its overlays."""
        text = json.dumps(self.document, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """Declared resources first, then those that the paths show."""
        declared = self.defaults.get("resource")
        every = resources(self.operations, declared if isinstance(declared, dict) else {})
        return tuple(item if item.declared else shown(self, item) for item in every)

    @cached_property
    def prerequisites(self) -> Prerequisites:
        """Which operation produces what another needs."""
        return Prerequisites(self)

    def resource(self, name: str) -> Resource | None:
        """The resource of that name."""
        return next((resource for resource in self.resources if resource.name == name), None)

    def resource_of(self, operation_id: str) -> Resource | None:
        """The resource that the operation makes, reads, lists, changes or deletes."""
        return self._resource_by_operation.get(operation_id)

    @cached_property
    def _resource_by_operation(self) -> Mapping[str, Resource]:
        """The first resource that has an operation, by the operation's id."""
        return {name: resource for resource in reversed(self.resources) for name in resource.operations}

    def promise(self, key: str, operation: Operation) -> Any:
        """What is promised under a key for an operation; None where nothing is, or where it is switched off (false).

        The operation's entry replaces the document's, except for lists that add up.
        """
        own, general = operation.promises.get(key), self.defaults.get(key)
        if key in ADDING:
            if own is False:
                return None
            return [*_list(own), *_list(general)] or None
        value = general if own is None else own
        return None if value is False else value

    def secrets(self, operation: Operation) -> tuple[str, ...]:
        """JSON pointers into the operation's answer at which it issues a credential, as its promise `key` tells."""
        told = self.promise("key", operation)
        return (told["credential"],) if isinstance(told, dict) else ()

    def validator(self, at: str) -> jsonschema_rs.Draft202012Validator | None:
        """A validator for the schema at a JSON pointer of the document; None where the schema cannot be compiled.

        Built once a schema. `multipleOf` is exact: no division of floats decides.
        """
        if at not in self._validators:
            self._validators[at] = self._compiled(at)
        return self._validators[at]

    def _compiled(self, at: str) -> jsonschema_rs.Draft202012Validator | None:
        fragment = "/".join(quote(part, safe="~") for part in at.split("/"))
        try:
            return jsonschema_rs.Draft202012Validator(
                {"$ref": f"{ROOT}#{fragment}"}, registry=self._registry, validate_formats=True
            )
        except (ValueError, jsonschema_rs.ValidationError):
            return None

    @cached_property
    def _registry(self) -> jsonschema_rs.Registry:
        return jsonschema_rs.Registry([(ROOT, dict(self.document))])

    def schema(self, node: Any) -> Mapping[str, Any]:
        """The schema that a node stands for, its `$ref` followed; an empty one where it is no object."""
        found = parse.followed(self.document, "", node)[1]
        return found if isinstance(found, dict) else {}

    def match(self, method: str, path: str) -> Operation | None:
        """The operation that a concrete request belongs to.

        A path without parameters goes before every template that fits it, whatever its methods (OpenAPI 3.1, 4.8.8.2).
        """
        exact = [operation for operation in self.operations if operation.path == path]
        for operation, pattern in self._patterns:
            if operation.method == method and pattern.fullmatch(path) and (not exact or operation in exact):
                return operation
        return None

    def at(self, path: str) -> tuple[Operation, ...]:
        """The operations of the path template that a concrete path, or a template itself, belongs to, as documented."""
        exact = next((operation.path for operation in self.operations if operation.path == path), None)
        template = exact or next((item.path for item, form in self._patterns if form.fullmatch(path)), None)
        return tuple(operation for operation in self.operations if operation.path == template)

    def is_removed(self, method: str, path: str) -> bool:
        """Whether a concrete request belongs to an operation that an overlay took out: it must not be sent."""
        base, told = self.base_path, self.document.get(documents.REMOVED, ())
        if not told:
            return False
        known = [(f"{base}{template}", True) for name, template in told if name == method]
        known += [(operation.path, False) for operation in self.operations if operation.method == method]
        known.sort(key=lambda item: item[0].count("{"))
        return next((gone for template, gone in known if _pattern(template).fullmatch(path)), False)

    @cached_property
    def _patterns(self) -> tuple[tuple[Operation, re.Pattern[str]], ...]:
        ordered = sorted(self.operations, key=lambda operation: operation.path.count("{"))
        return tuple((operation, _pattern(operation.path)) for operation in ordered)

    def line(self, operation: Operation) -> str:
        """How a report names the operation's place in the document."""
        return f"#{operation.pointer}" if pointer.get(self.document, operation.pointer) is not pointer.MISSING else ""


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^{}]+\})", template)
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
