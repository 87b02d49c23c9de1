"""The promise `writes`: what is refused changes nothing, what is accepted is kept as it was sent, PUT says it twice.

Where it is not declared only what no API means is judged. Sources: RFC 9110, 9.2.2 (idempotent methods) and 9.3.4
(PUT); EvoMaster's and RESTler's checks of refused writes; RFC 8259, 6 (numbers beyond 2^53).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.promises.promise import Promise
from harness.promises.writes.cases import applies, cases
from harness.promises.writes.judgement import judge
from harness.promises.writes.steps import KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {"replaces": {"const": True}},
    "additionalProperties": False,
}

PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases)
