"""The promise `cookie`: who is signed in by a cookie writes by their own pages only, as a browser sends it by itself.

A page of another site can have a browser send a write with all its cookies. What it cannot do is read the session's
token and send it as a header, nor, where the origin is looked at, pass for another one. As a control the same write is
made as the own page makes it.
Source: OWASP Cross-Site Request Forgery Prevention; RFC 6265, 8.2 (ambient authority); draft-ietf-httpbis-rfc6265bis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.promises.cookie.cases import applies, cases
from harness.promises.cookie.judgement import judge
from harness.promises.cookie.steps import KEY
from harness.promises.promise import Promise

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = {"type": "string", "minLength": 1}
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "scheme": _NAME,
        "with": {"type": "object"},
        "token": {
            "type": "object",
            "properties": {"scheme": _NAME, "cookie": _NAME, "at": {"type": "string", "pattern": "^/"}},
            "required": ["scheme"],
            "oneOf": [{"required": ["cookie"]}, {"required": ["at"]}],
            "additionalProperties": False,
        },
        "origin": {"const": True},
        "out": _NAME,
        "refused": {"type": "integer", "minimum": 400, "maximum": 499},
    },
    "required": ["scheme"],
    "additionalProperties": False,
}

PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, on_document=False)
