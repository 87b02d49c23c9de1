"""The promise `key`: what an operation issues as a credential opens nothing once it is revoked or has ended.

Nor does it open, while it holds, what its scopes do not grant. A fresh one must be let in first: without that nothing
is told. Source: OWASP API Security Top 10 2023, API2 (broken authentication) and API5 (function level authorization).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.promises.key.cases import applies, cases
from harness.promises.key.judgement import judge
from harness.promises.key.steps import KEY
from harness.promises.promise import Promise

if TYPE_CHECKING:
    from collections.abc import Mapping

_POINTER = {"type": "string", "pattern": "^(/|$)"}
_NAME = {"type": "string", "minLength": 1}
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "scheme": _NAME,
        "prefix": _NAME,
        **dict.fromkeys(("credential", "end", "until", "scopes"), _POINTER),
        "unit_s": {"type": "number", "exclusiveMinimum": 0},
        "revoke": _NAME,
        "within_s": {"type": "number", "minimum": 0, "maximum": 10},
        "grants": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "array", "items": _NAME}},
    },
    "required": ["scheme", "credential"],
    "dependentRequired": {"scopes": ["grants"], "grants": ["scopes"], "unit_s": ["end"], "until": ["end"]},
    "additionalProperties": False,
}

PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, on_document=False)
