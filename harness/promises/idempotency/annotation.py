"""What a contract says of a call that may be sent again: `x-promises.idempotency` on the operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation, Resource

KEY = "idempotency"
CALLER, TENANT, EVERYONE = "caller", "tenant", "everyone"
ANSWER, THING = "answer", "thing"
KEPT, FORGOTTEN = "kept", "forgotten"
_STATUS = {"type": "integer", "minimum": 400, "maximum": 499}
_NAME = {"type": "string", "minLength": 1}
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "header": _NAME,
        "resource": _NAME,
        "scope": {"enum": [CALLER, TENANT, EVERYONE]},
        "other_body": _STATUS,
        "in_progress": _STATUS,
        "replays": {"enum": [ANSWER, THING]},
        "replayed": _NAME,
        "refusals": {"enum": [KEPT, FORGOTTEN]},
        "missing": _STATUS,
        "max_length": {"type": "integer", "minimum": 1, "maximum": 4096},
        "too_long": _STATUS,
        "kept_s": {"type": "number", "exclusiveMinimum": 0},
    },
    "required": ["header"],
    "dependentRequired": {"too_long": ["max_length"]},
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Told:
    """What is declared. A status of 0 and an empty text are not declared, and nothing is held to them.

    `resource` is what a call makes; None where the contract does not tell. `scope` says whose a key is: another of the
    same text by another caller, or in another tenant, is another key. `replays` says what a call sent again is given:
    the first answer, or at least the same thing; `replayed` names a header that stands on such an answer only.
    `refusals` says whether a refused call keeps its key.
    """

    header: str
    resource: Resource | None
    scope: str = CALLER
    other_body: int = 0
    in_progress: int = 0
    replays: str = THING
    replayed: str = ""
    refusals: str = ""
    missing: int = 0
    max_length: int = 0
    too_long: int = 0
    kept_s: float = 0.0


def told(contract: Contract, operation: Operation) -> Told | None:
    """What is declared for an operation; None where nothing is."""
    declared = contract.promise(KEY, operation)
    if not isinstance(declared, dict):
        return None
    own = contract.resource_of(operation.id)
    made = own if own is not None and own.create == operation.id else None
    resource = contract.resource(declared["resource"]) if "resource" in declared else made
    return Told(**{**declared, "resource": resource})
