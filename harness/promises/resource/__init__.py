"""The promise `resource`: what is made can be read and listed, and what is changed shows.

A declared resource keeps every law here; of one that only the paths show, those alone are judged that any API keeps.
Members that an answer shows and the request's schema lacks are the server's to set: sending them must not set them
(OWASP API Security Top 10 2023, API3: broken object property level authorization, formerly mass assignment).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.contract.resource import ACTIONS
from harness.promises.promise import Promise
from harness.promises.resource.cases import applies, cases
from harness.promises.resource.judgement import judge
from harness.promises.resource.steps import KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

_POINTER = {"type": "string", "pattern": "^(/|$)"}
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {
            **{action: {"type": "string", "minLength": 1} for action in ACTIONS},
            **dict.fromkeys(("id", "owner", "version", "items"), _POINTER),
            "again": {"type": "integer", "minimum": 400, "maximum": 499},
        },
        "additionalProperties": False,
    },
}

PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, on_operation=False)
