"""The promise `transports`: an operation is served over another transport too, by the same gates of roles.

What is one function behind two front doors is easily guarded at one of them. Who may not call is tried at the other
one, and one that may: only where that one is let in does the other's refusal, or its lack, tell anything. Where that
one is refused for its input, which the document's own transport takes, the operation is not served as it is told.
Source: OWASP API Security Top 10 2023, API5 (broken function level authorization) and API9 (improper inventory).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.promises.promise import Promise
from harness.promises.transports.cases import applies, cases
from harness.promises.transports.door import FORMS, KEY
from harness.promises.transports.judgement import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

ANNOTATION: Mapping[str, Any] = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,20}$"},
            "format": {"enum": sorted(FORMS)},
            "prefix": {"type": "string", "pattern": "^/"},
            "separator": {"enum": ["/", "."]},
            "path": {"type": "string", "pattern": "^/"},
        },
        "required": ["name", "format"],
        "oneOf": [{"required": ["prefix"]}, {"required": ["path"]}],
        "additionalProperties": False,
    },
}

PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, outside=True)
