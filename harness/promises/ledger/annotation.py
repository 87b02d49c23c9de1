"""What a contract says of a conserved quantity: `x-promises.ledger` on the operation that draws from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.contract import pointer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation, Resource

KEY = "ledger"
EACH = "/*"

_POINTER = {"type": "string", "pattern": "^/"}
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "resource": {"type": "string", "minLength": 1},
        "quantity": _POINTER,
        "draw": _POINTER,
        "key": _POINTER,
        "refused": {"type": "array", "items": {"type": "integer", "minimum": 400, "maximum": 499}},
        "restore": {"type": "string", "minLength": 1},
        "total": _POINTER,
        "unit": _POINTER,
    },
    "required": ["resource", "quantity", "draw", "key"],
    "dependentRequired": {"total": ["unit"]},
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Ledger:
    """`draw` and `key` point into the body of the drawing operation, `quantity` and `unit` into the thing as read.

    `lines` is the pointer of the list of lines, empty where a draw has one line, the body itself; `draw_member` and
    `key_member` point into a line. `restore` is the operation that gives back, `total` points into a draw's answer.
    `refused` holds the statuses of a draw of more than there is, empty where any 4xx may be one.
    """

    resource: Resource
    quantity: str
    draw: str
    key: str
    lines: str
    draw_member: str
    key_member: str
    restore: str = ""
    total: str = ""
    unit: str = ""
    refused: frozenset[int] = frozenset()

    @property
    def many(self) -> bool:
        """Whether one draw can hold several lines."""
        return bool(self.lines)

    def first(self, pointer_: str) -> str:
        """The concrete pointer of the first line's member."""
        return pointer_.replace(EACH, "/0", 1)

    def body(self, template: Any, lines: list[tuple[str | int, Any]]) -> Any:
        """The template's body with these lines, each a key and a quantity; its other members are the template's."""
        if not self.many:
            key, quantity = lines[0]
            return pointer.put(pointer.put(template, self.key, key), self.draw, quantity)
        held = pointer.get(template, f"{self.lines}/0")
        made = [
            pointer.put(
                pointer.put(held if isinstance(held, dict) else {}, self.key_member, key), self.draw_member, quantity
            )
            for key, quantity in lines
        ]
        return pointer.put(template, self.lines, made)


def ledger(contract: Contract, operation: Operation) -> Ledger | None:
    """What is declared for an operation; None where nothing is, or where it names no resource of the contract."""
    declared = contract.promise(KEY, operation)
    resource = contract.resource(declared["resource"]) if isinstance(declared, dict) else None
    if not isinstance(declared, dict) or resource is None:
        return None
    lines, star, draw_member = declared["draw"].partition(EACH)
    key_lines, _, key_member = declared["key"].partition(EACH)
    if not star or key_lines != lines:
        lines, draw_member, key_member = "", declared["draw"], declared["key"]
    return Ledger(
        resource=resource,
        quantity=declared["quantity"],
        draw=declared["draw"],
        key=declared["key"],
        lines=lines,
        draw_member=draw_member,
        key_member=key_member,
        restore=declared.get("restore", ""),
        total=declared.get("total", ""),
        unit=declared.get("unit", ""),
        refused=frozenset(declared.get("refused", ())),
    )
