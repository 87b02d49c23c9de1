"""The promise `page`: walking a list shows each thing once, the totals agree, and sizes out of bounds are refused.

Fresh things are planted in the list, which is narrowed to them where a filter can, and walked with several sizes, once
while more are made. A list that only its parameters show to be paged is judged by what no paging may do: lose a thing
or show it twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.promises.page.cases import cases
from harness.promises.page.judgement import judge
from harness.promises.paging import KEY, paging
from harness.promises.planting import source
from harness.promises.promise import Promise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation

_NAME = {"type": "string", "minLength": 1}
_POINTER = {"type": "string", "pattern": "^(/|$)"}
_NEXT = {"type": "string", "pattern": "^(/|$|header:.)"}
_COUNT = {"type": "integer", "minimum": 0}
_STATUS = {"type": "integer", "minimum": 400, "maximum": 499}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


ANNOTATION: Mapping[str, Any] = {
    **_object(
        style={"enum": ["page", "offset", "cursor", "link"]},
        resource=_NAME,
        then={"type": "array", "items": _NAME},
        id=_POINTER,
        parameters=_object(page=_NAME, offset=_NAME, limit=_NAME, cursor=_NAME),
        members=_object(items=_POINTER, total=_POINTER, pages=_POINTER, next=_NEXT),
        bounds=_object(min=_COUNT, max=_COUNT, default=_COUNT),
        first=_COUNT,
        past={"anyOf": [{"const": "empty"}, _STATUS]},
        over={"enum": ["refused", "capped"]},
        refused={"type": "array", "items": _STATUS, "minItems": 1},
    ),
    "required": ["style"],
}


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation says how it is paged, or shows it by its parameters and lists what can be made."""
    if operation.method != "GET" or operation.promises.get(KEY) is False:
        return False
    if contract.promise(KEY, operation) is not None:
        return True
    shown = paging(contract, operation)
    return shown.counts and bool(shown.size) and source(contract, operation) is not None


PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, on_document=False)
