"""What a contract says of an answer that may be kept: `x-promises.cache` on a read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation, Resource

KEY = "cache"
NS = 1_000_000_000
_NAME = {"type": "string", "minLength": 1}
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "age_s": {"type": "number", "minimum": 0},
        "resource": _NAME,
        "invalidated_by": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"operation": _NAME, "at": {"type": "string", "pattern": "^(/|path:.)"}},
                "required": ["operation"],
                "additionalProperties": False,
            },
        },
        "etag": {"type": "boolean"},
        "private": {"type": "boolean"},
    },
    "required": ["age_s"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Cause:
    """An operation that changes what is shown; `at` says where its call, or what it acts on, names the thing."""

    operation: str
    at: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What is declared: an answer is at most `age_s` old, and not older than an acknowledged call of a cause.

    `inferred` says that the causes are the writes of the resource, as none are written out. `etag` promises entity tags
    and 304; `private` that an answer is its caller's own.
    """

    age_s: float
    resource: Resource | None
    causes: tuple[Cause, ...]
    inferred: bool = True
    etag: bool = False
    private: bool = False

    @property
    def age_ns(self) -> int:
        """The age in nanoseconds."""
        return round(self.age_s * NS)

    def forgets(self, operation_id: str) -> bool:
        """Whether nothing from before an acknowledged call of the operation may be shown after it."""
        return not self.age_s or any(cause.operation == operation_id for cause in self.causes)


def told(contract: Contract, operation: Operation) -> Told | None:
    """What is declared for an operation; None where nothing is."""
    declared = contract.promise(KEY, operation)
    if not isinstance(declared, dict):
        return None
    own = contract.resource_of(operation.id)
    resource = contract.resource(declared["resource"]) if "resource" in declared else own
    written = declared.get("invalidated_by")
    if written is None:
        names = (resource.create, resource.update, resource.delete) if resource else ()
        causes = tuple(Cause(name) for name in names if name)
    else:
        causes = tuple(Cause(entry["operation"], entry.get("at", "")) for entry in written)
    return Told(
        float(declared["age_s"]),
        resource,
        causes,
        written is None,
        declared.get("etag", False),
        declared.get("private", False),
    )
