"""What stands at a documented bound is allowed: texts, numbers and lists of as much, or as little, as is said.

All members of a body go to their bounds at once. Only where that is refused is each tried by itself, one step within
its bound and then at it: what is taken within and refused at the bound is refused for the bound alone, as what is
refused for another rule of the API's own, such as a stock, is refused within it too.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.case import one
from harness.contract import pointer
from harness.contract.shape import leaves
from harness.exchange import Outcome
from harness.promises import survey
from harness.promises.altered import dumped
from harness.things import referred

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Exchange, Request
    from harness.promises.look import Look
    from harness.stage import Stage

CODE = "writes.bound"
CASE = "bounds"
MOST, LEAST = "most", "least"
ALL, WITHIN, AT = "all-at", "within", "at"
INVALID = {400, 422}
MAX_EDGES = 10
MAX_TEXT = 10_000
GIVEN = {"enum", "const", "format"}


@dataclass(frozen=True, slots=True)
class Edge:
    """A bound of one member: the number that it names, and the next within it. Of a text they are lengths."""

    place: str
    side: str
    rule: str
    at: float
    within: float
    text: bool = False

    @property
    def name(self) -> str:
        """How steps and findings name it."""
        return f"{self.place} {self.rule}"

    def value(self, stage: Stage, *, within: bool) -> Any:
        """What is sent: a number, or a text of so many letters that is nobody else's where that is long enough."""
        size = self.within if within else self.at
        if not self.text:
            return size
        mark, length = stage.unique("b"), int(size)
        if len(mark) <= length:
            return mark.ljust(length, "a")
        return "".join(stage.random.choices(string.ascii_lowercase, k=length))


def edges(contract: Contract, operation: Operation) -> list[Edge]:
    """The bounds of the members that a client sets; none of a member that refers, or whose form is told."""
    declared = operation.json_body()
    found = leaves(contract, declared.schema, written=True) if declared is not None else ()
    return [
        edge
        for leaf in found
        if not GIVEN & set(leaf.schema) and referred(contract, leaf.name) is None
        for edge in _of(leaf.schema, leaf.pointer.replace("/*", "/0"))
    ]


def _of(schema: Mapping[str, Any], place: str) -> Iterator[Edge]:
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if "string" in kinds:
        yield from _of_text(schema, place)
    elif "integer" in kinds or "number" in kinds:
        step = schema.get("multipleOf", 1 if "integer" in kinds else None)
        if step is not None:
            yield from _of_number(schema, place, step)


def _of_text(schema: Mapping[str, Any], place: str) -> Iterator[Edge]:
    low, high, pattern = schema.get("minLength", 0), schema.get("maxLength"), schema.get("pattern", "")
    if high is not None and high <= MAX_TEXT and high - 1 >= low and _letters(pattern, high):
        yield Edge(place, MOST, "maxLength", high, high - 1, text=True)
    if low > 0 and (high is None or low + 1 <= high) and _letters(pattern, low):
        yield Edge(place, LEAST, "minLength", low, low + 1, text=True)


def _letters(pattern: str, length: int) -> bool:
    """Whether so many letters fit a pattern."""
    try:
        return re.search(pattern, "a" * length) is not None
    except re.error:
        return False


def _of_number(schema: Mapping[str, Any], place: str, step: float) -> Iterator[Edge]:
    least = _bound(schema, "minimum", step)
    most = _bound(schema, "maximum", -step)
    if most is not None and (least is None or least < most):
        yield Edge(place, MOST, "maximum", most, _sum(most, -step))
    if least is not None and (most is None or least < most):
        yield Edge(place, LEAST, "minimum", least, _sum(least, step))


def _bound(schema: Mapping[str, Any], rule: str, inward: float) -> float | None:
    """The last number that is allowed on a side; None where the document names none."""
    exclusive = schema.get(f"exclusive{rule.capitalize()}")
    if isinstance(exclusive, int | float) and not isinstance(exclusive, bool):
        return _sum(exclusive, inward)
    told = schema.get(rule)
    return told if isinstance(told, int | float) else None


def _sum(bound: float, step: float) -> float:
    return bound + step if isinstance(bound, int) and isinstance(step, int) else round(bound + step, 6)


def tried(operation: Operation, stage: Stage) -> Steps[None]:
    """All members at their bounds, on each side; where that is refused, each by itself."""
    stage.familiar = stage.actors.company()
    known = edges(stage.contract, operation)
    for side in (MOST, LEAST):
        own = [edge for edge in known if edge.side == side]
        if not own:
            continue
        base = yield from survey.ready(stage.contract, operation, stage, ALL, everything=True)
        answer = yield from one(_put(stage, base, own, f"{ALL} {side}"))
        if answer.outcome is Outcome.REFUSED:
            for edge in own[:MAX_EDGES]:
                yield from _alone(operation, stage, edge)


def _alone(operation: Operation, stage: Stage, edge: Edge) -> Steps[None]:
    """One member within its bound, and at it where that is taken; each on a fresh thing."""
    for word in (WITHIN, AT):
        base = yield from survey.ready(stage.contract, operation, stage, word, everything=True)
        answer = yield from one(_put(stage, base, [edge], f"{word} {edge.name}", within=word == WITHIN))
        if answer.outcome is not Outcome.OK:
            return


def _put(stage: Stage, base: Request, chosen: Sequence[Edge], step: str, *, within: bool = False) -> Request:
    body = base.json()
    for edge in chosen:
        if pointer.get(body, edge.place) is not pointer.MISSING:
            body = pointer.put(body, edge.place, edge.value(stage, within=within))
    return replace(base, body=dumped(body), step=step)


def judge(look: Look, operation: Operation, exchanges: Sequence[Exchange]) -> None:
    """What is taken within its bound is taken at it."""
    steps = {exchange.request.step: exchange for exchange in exchanges if exchange.operation == operation.id}
    look.examined += sum(
        step.startswith(f"{ALL} ") and exchange.outcome is Outcome.OK for step, exchange in steps.items()
    )
    for step, refused in steps.items():
        word, _, name = step.partition(" ")
        within = steps.get(f"{WITHIN} {name}")
        if word != AT or within is None or not look.answered(refused):
            continue
        look.examined += 1
        if refused.status in INVALID:
            place, rule = name.rsplit(" ", 1)
            promised = f"What the document allows is taken: {place} at its {rule}."
            seen = f"At its {rule} {place} was answered {refused.status}, and {within.status} one step within it."
            look.found(CODE, name, promised, seen, within, refused)
