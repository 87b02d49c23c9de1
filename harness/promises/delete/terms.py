"""What `x-promises.delete` says: what follows a delete, and what does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.promises import acting
from harness.promises.planting import source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation, Resource

KEY = "delete"
SOFT, HARD = "soft", "hard"
GONE, KEPT = "gone", "kept"
FREE, TAKEN = "free", "taken"
MISSING = (404, 410)
CONFLICT = 409
MAX_USERS = 2

_NAME = {"type": "string", "minLength": 1}
_NAMES = {"type": "array", "items": _NAME}
_POINTER = {"type": "string", "pattern": "^/"}
_REFUSAL = {"type": "integer", "minimum": 400, "maximum": 499}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_CHILD = _object(["resource", "becomes"], resource=_NAME, becomes={"enum": [GONE, KEPT]})
_UNIQUE = _object(["member", "becomes"], member=_POINTER, becomes={"enum": [FREE, TAKEN]}, status=_REFUSAL)
_COUNT = _object(["operation", "member"], operation=_NAME, member=_POINTER)
_FILES = _object(["operation", "members"], operation=_NAME, members={"type": "array", "items": _POINTER, "minItems": 1})
ANNOTATION: Mapping[str, Any] = _object(
    [],
    kind={"enum": [SOFT, HARD]},
    resource=_NAME,
    gone={"type": "array", "items": _REFUSAL, "minItems": 1},
    again={"type": "integer", "minimum": 200, "maximum": 499},
    lists=_NAMES,
    writes=_NAMES,
    references=_NAMES,
    children={"type": "array", "items": _CHILD},
    used=_object(["resource"], resource=_NAME, status=_REFUSAL),
    unique=_UNIQUE,
    counts={"type": "array", "items": _COUNT},
    restore=_NAME,
    files=_FILES,
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is said of the delete of a resource. Operations are ids; `again` is 0 where nothing is said of a second one.

    `told` is what `x-promises.delete` says as it stands; empty where only the resource says that it can be deleted.
    """

    resource: Resource
    told: Mapping[str, Any]
    lists: tuple[str, ...]
    writes: tuple[str, ...]
    references: tuple[str, ...]
    gone: tuple[int, ...] = MISSING
    again: int = 0

    @property
    def strict(self) -> bool:
        """Whether the contract says so itself, so that each law binds, and not only those that every API keeps."""
        return bool(self.told) or self.resource.declared

    @property
    def hard(self) -> bool:
        """Whether nothing is kept of a deleted thing, its version included."""
        return self.told.get("kind") == HARD


def terms(contract: Contract, operation: Operation) -> Terms | None:
    """What is said of a delete; None where the operation deletes nothing that can be made and read."""
    told = contract.promise(KEY, operation)
    told = told if isinstance(told, dict) else {}
    resource = contract.resource(told["resource"]) if "resource" in told else contract.resource_of(operation.id)
    if resource is None or resource.create not in contract.by_id or resource.read not in contract.by_id:
        return None
    if resource.delete != operation.id and not told:
        return None
    listed = (resource.list,) if resource.list in contract.by_id else ()
    found = Terms(
        resource,
        told,
        tuple(dict.fromkeys((*listed, *told.get("lists", ())))),
        tuple(dict.fromkeys((*filter(None, (resource.update,)), *told.get("writes", ())))),
        tuple(told["references"]) if "references" in told else _references(contract, resource),
        tuple(told.get("gone", MISSING)),
        told.get("again", resource.again),
    )
    return found if found.strict else Terms(resource, {}, (), _patched(contract, resource), ())


def _patched(contract: Contract, resource: Resource) -> tuple[str, ...]:
    """The update of an undeclared resource where it is none that may make a thing anew, as PUT is."""
    update = contract.by_id.get(resource.update)
    return (update.id,) if update is not None and update.method == "PATCH" else ()


def _references(contract: Contract, resource: Resource) -> tuple[str, ...]:
    """Creates of other resources whose bodies refer to a thing of this one by a required member."""
    if not resource.declared:
        return ()
    found = []
    for operation in contract.operations:
        other = contract.resource_of(operation.id)
        if operation.json_body() is None or other is None or other.name == resource.name:
            continue
        if other.create == operation.id and acting.place_of(contract, operation, resource):
            found.append(operation.id)
    return tuple(found[:MAX_USERS])


def then(contract: Contract, terms_: Terms) -> tuple[str, ...]:
    """The operations that bring a thing into the lists which it must leave."""
    sources = [source(contract, contract.by_id[name]) for name in terms_.lists if name in contract.by_id]
    return tuple(dict.fromkeys(name for found in sources if found for name in found.then))
