"""The promise `bulk`: an operation that takes many items and answers for each accounts for every one of them.

An answer that refuses the whole, one that is not ready yet (202) and one that lacks what was declared tell nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.promises.bulk.cases import applies, cases
from harness.promises.bulk.judgement import judge
from harness.promises.bulk.steps import KEY
from harness.promises.promise import Promise

if TYPE_CHECKING:
    from collections.abc import Mapping

_POINTER = {"type": "string", "pattern": "^(/|$)"}
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "resource": {"type": "string", "minLength": 1},
        **dict.fromkeys(("items", "done", "failed", "skipped", "results", "index", "thing", "error"), _POINTER),
        "unknown": {"const": "failed"},
    },
    "required": ["items"],
    "anyOf": [{"required": ["done", "failed"]}, {"required": ["results"]}],
    "dependentRequired": {
        "done": ["failed"],
        "failed": ["done"],
        "skipped": ["done"],
        "thing": ["results"],
        "error": ["results"],
    },
    "additionalProperties": False,
}

PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, on_document=False)
