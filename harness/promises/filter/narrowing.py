"""Narrows a list to what a case planted, by a filter that the list has, so that nobody else's things stand in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import things
from harness.contract import pointer
from harness.promises import values
from harness.promises.filter.rules import Rule, rules, settable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation
    from harness.promises.subject import Subject

MARK_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A rule by which planted things are told from others: by a `mark` that they bear, a reference or a maker."""

    rule: Rule
    mark: str = ""

    def row(self, number: int) -> dict[str, Any]:
        """The members by which one planted thing is told."""
        return {self.rule.sent: f"{self.mark} {number}"} if self.mark else {}

    def query(self, first: Subject) -> tuple[str, str]:
        """The parameter that asks for what was planted."""
        if self.rule.maker:
            return self.rule.parameter, first.owner.id
        return self.rule.parameter, self.mark or values.shown(pointer.get(first.sent, self.rule.sent))


def narrowing(contract: Contract, operation: Operation, mark: str, *, without: Rule | None = None) -> Narrowing | None:
    """How a list is narrowed, by another rule than `without` and another member; None where no filter can."""
    taken = ("", "") if without is None else (without.parameter, without.sent)
    known = [rule for rule in rules(contract, operation) if rule.parameter != taken[0]]
    for rule in known:
        if rule.operator == "equals" and rule.maker:
            return Narrowing(rule)
    known = [rule for rule in known if rule.sent and rule.sent != taken[1]]
    for rule in known:
        if rule.operator == "equals" and things.referred(contract, pointer.tokens(rule.sent)[-1]) is not None:
            return Narrowing(rule)
    for rule in known:
        if rule.operator == "contains" and markable(settable(contract, operation, rule.sent)):
            return Narrowing(rule, mark)
    return None


def markable(schema: Mapping[str, Any] | None) -> bool:
    """Whether a member may hold a mark and some words beside it."""
    if schema is None or schema.get("type", "string") != "string" or {"enum", "const", "format"} & set(schema):
        return False
    fits = re.search(schema.get("pattern", ""), "a1 b") is not None
    return fits and bool(schema.get("maxLength", MARK_LENGTH) >= MARK_LENGTH)
