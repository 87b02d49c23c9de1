"""The promise `upload`: files beyond the declared bounds are refused, and what is refused takes nothing from others.

The second is judged of every form with a file. Source: OWASP API4:2023, unrestricted resource consumption.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.promises.promise import Promise
from harness.promises.upload.cases import applies, cases
from harness.promises.upload.judgement import judge
from harness.promises.upload.steps import KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

_BOUND = {"type": "integer", "minimum": 1}
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {"max_pixels": _BOUND, "max_side": _BOUND, "max_bytes": _BOUND, "whole": {"const": True}},
    "minProperties": 1,
    "additionalProperties": False,
}

PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, on_document=False)
