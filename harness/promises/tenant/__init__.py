"""The promise `tenant`: where the tenant is told, and that nothing of one tenant is seen, changed or told in another.

Source: OWASP API Security Top 10 2023, API1 and API2; the marks are canaries, written in one tenant and looked for in
every answer of another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.promises.promise import Promise
from harness.promises.tenant.cases import cases
from harness.promises.tenant.judgement import judge
from harness.promises.tenant.steps import KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation

STATUS = {"enum": [400, 401, 403, 404, 421]}
NAME = {"type": "string", "minLength": 1}


def _place(where: str, **members: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"in": {"const": where}, **members},
        "required": ["in", *members],
        "additionalProperties": False,
    }


ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "told": {
            "type": "array",
            "items": {
                "oneOf": [
                    _place("header", name=NAME),
                    _place("host", base=NAME),
                    _place("path", prefix={"type": "string", "pattern": r"^/.*\{tenant\}"}),
                    _place("credentials"),
                ]
            },
            "minItems": 1,
            "uniqueItems": True,
        },
        "unknown": STATUS,
        "other": STATUS,
        "conflict": {"enum": ["first", 400, 401, 403, 404, 409, 421]},
    },
    "required": ["told"],
    "additionalProperties": False,
}


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the contract says that the operation is a tenant's own."""
    return contract.promise(KEY, operation) is not None


PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases)
