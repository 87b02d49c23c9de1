"""Faults planted in the Kinto server by hand; it includes this file, which does nothing unless KINTO_FAULT names one.

It runs in the server's own environment: Kinto is there, this project is not.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def includeme(_config: Any) -> None:
    """What Kinto calls while it starts."""
    name = os.environ.get("KINTO_FAULT", "")
    if name:
        FAULTS[name]()


def kept() -> None:
    """A deleted record is answered as deleted, and stays."""
    model: Any = import_module("kinto.core.resource.model").Model
    right = model.delete_object

    def delete_object(self: Any, obj: dict[str, Any], *args: Any, **more: Any) -> dict[str, Any]:
        if self.resource_name != "record":
            deleted: dict[str, Any] = right(self, obj, *args, **more)
            return deleted
        return {"id": obj["id"], "last_modified": self.timestamp(), "deleted": True}

    model.delete_object = delete_object


def stale() -> None:
    """If-Match is passed over: who saw an old version overwrites the new one."""
    resource: Any = import_module("kinto.core.resource").Resource
    right = resource._raise_412_if_modified  # noqa: SLF001 - the fault is planted in the server's own part

    def raise_412_if_modified(self: Any, obj: dict[str, Any] | None = None) -> None:
        if not self.request.validated["header"].get("If-Match"):
            right(self, obj)

    resource._raise_412_if_modified = raise_412_if_modified  # noqa: SLF001 - same


def strange() -> None:
    """Whoever is signed in reads what is another's."""
    policy: Any = import_module("kinto.core.authorization").AuthorizationPolicy
    right = policy.permits

    def permits(self: Any, context: Any, principals: list[str], permission: str) -> bool:
        signed_in = "system.Authenticated" in principals
        reads = context.required_permission == "read" and not context.on_plural_endpoint
        return bool(right(self, context, principals, permission)) or (signed_in and reads)

    policy.permits = permits


def skipped() -> None:
    """Each page of a list after the first leaves out its first thing."""
    model: Any = import_module("kinto.core.resource.model").Model
    right = model.get_objects

    def get_objects(self: Any, *args: Any, **more: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = right(self, *args, **more)
        return found[1:] if more.get("pagination_rules") else found

    model.get_objects = get_objects


FAULTS: Mapping[str, Callable[[], None]] = {"kept": kept, "stale": stale, "strange": strange, "skipped": skipped}
