"""The promise `version`: a write says which version its sender saw, and one that saw an old one is refused.

Cases for each form in which the version is told: a stale write after another's, and writers released together with one
version, of whom exactly one may win; and a write that tells none. Each writer's body differs, so that the thing shows
whose write is in it. An answer that is lost or a 5xx may be a write that happened: it is counted for nobody.
Source: RFC 9110, 13.1.1 (If-Match), RFC 6585, 3 (428), and Berenson et al. 1995 for the name "lost update".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.promises.promise import Promise
from harness.promises.version.cases import cases
from harness.promises.version.judgement import judge
from harness.promises.version.steps import KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation

FORM: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "in": {"enum": ["header", "body"]},
        "name": {"type": "string", "minLength": 1},
        "from": {"type": "string", "pattern": "^(/|header:.)"},
        "stale": {"type": "integer", "minimum": 400, "maximum": 499},
    },
    "required": ["in", "name", "from", "stale"],
    "additionalProperties": False,
}
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "resource": {"type": "string", "minLength": 1},
        "forms": {"type": "array", "items": FORM, "minItems": 1},
        "missing": {"type": "integer", "minimum": 400, "maximum": 499},
    },
    "required": ["resource", "forms"],
    "additionalProperties": False,
}


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation says how the seen version is sent."""
    return contract.promise(KEY, operation) is not None


PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, on_document=False)
