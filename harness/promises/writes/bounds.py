"""What stands at a documented bound is allowed: texts of as many letters, and numbers as high or low, as is said.

All members of a body go to their bounds at once. Only where that is refused as invalid is each tried by itself, in a
body with little else: one step within its bound, at it, and within it once more. What is taken within before and after
and refused at the bound is refused for the bound alone: a stock, a quota or a taken name refuses the others too.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeGuard

import jsonschema_rs

from harness.case import one
from harness.contract import pointer
from harness.contract.shape import leaves
from harness.exchange import Outcome
from harness.mask import is_secret_name
from harness.promises import precondition, survey
from harness.promises.altered import dumped
from harness.promises.wrong_values import stepped
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
ALL, WITHIN, AT, STILL = "all-at", "within", "at", "still-within"
INVALID = {400, 422}
MAX_EDGES = 10
# Of fewer letters there are not enough texts that are nobody else's; more are no test that anybody waits for.
LEAST_TEXT, MARK, MAX_TEXT = 5, 8, 10_000
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
    pattern: str = ""

    @property
    def name(self) -> str:
        """How steps and findings name it."""
        return f"{self.place} {self.rule}"

    def value(self, stage: Stage, *, within: bool) -> Any:
        """What is sent: the number, or a text of so many letters, which begins as no other and goes on alike."""
        size = self.within if within else self.at
        if not self.text:
            return size
        return "".join(stage.random.choices(string.ascii_lowercase, k=min(int(size), MARK))).ljust(int(size), "a")

    def can_be_made(self, stage: Stage) -> bool:
        """Whether letters alone fit the pattern of a text, at the bound and within it."""
        if not self.pattern:
            return True
        try:
            validator = jsonschema_rs.Draft202012Validator({"pattern": self.pattern})
        except ValueError:
            return False
        return all(validator.is_valid(self.value(stage, within=within)) for within in (False, True))


def edges(contract: Contract, operation: Operation) -> list[Edge]:
    """The bounds of members that a client sets: none that refers, has a form of its own, is secret or a version."""
    declared = operation.json_body()
    found = leaves(contract, declared.schema, written=True) if declared is not None else ()
    versions = {form["name"] for form in precondition.forms(contract, operation, contract.resource_of(operation.id))}
    return [
        edge
        for leaf in found
        if not GIVEN & set(leaf.schema) and referred(contract, leaf.name) is None
        if leaf.name not in versions and not is_secret_name(leaf.name)
        for edge in _of(leaf.schema, leaf.pointer.replace("/*", "/0"))
    ]


def _of(schema: Mapping[str, Any], place: str) -> Iterator[Edge]:
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if "string" in kinds:
        yield from _of_text(schema, place)
    elif "integer" in kinds or "number" in kinds:
        step = schema.get("multipleOf", 1 if "integer" in kinds else None)
        if isinstance(step, int | float) and step > 0:
            yield from _of_number(schema, place, step)


def _of_text(schema: Mapping[str, Any], place: str) -> Iterator[Edge]:
    low, high, pattern = schema.get("minLength", 0), schema.get("maxLength", MAX_TEXT), schema.get("pattern", "")
    if not (isinstance(low, int) and isinstance(high, int) and isinstance(pattern, str)):
        return
    if "maxLength" in schema and max(low, LEAST_TEXT) < high <= MAX_TEXT:
        yield Edge(place, MOST, "maxLength", high, high - 1, text=True, pattern=pattern)
    if LEAST_TEXT <= low < high:
        yield Edge(place, LEAST, "minLength", low, low + 1, text=True, pattern=pattern)


def _of_number(schema: Mapping[str, Any], place: str, step: float) -> Iterator[Edge]:
    least, most = _bounds(schema, "minimum", step), _bounds(schema, "maximum", -step)
    low, high = max(least, default=None), min(most, default=None)
    if low is not None and high is not None and low >= high:
        return
    if high is not None:
        yield Edge(place, MOST, "maximum", high, stepped(high, -step))
    if low is not None:
        yield Edge(place, LEAST, "minimum", low, stepped(low, step))


def _bounds(schema: Mapping[str, Any], rule: str, inward: float) -> list[float]:
    """The last numbers that are allowed on a side, by the bound itself and by the one that is excluded."""
    told, beyond = schema.get(rule), schema.get(f"exclusive{rule.capitalize()}")
    found = [told] if _is_number(told) else []
    return [*found, *([stepped(beyond, inward)] if _is_number(beyond) else [])]


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def tried(operation: Operation, stage: Stage) -> Steps[None]:
    """All members at their bounds, on each side; where that is refused as invalid, each by itself."""
    if operation.id == stage.actors.login_operation:
        return  # what it refuses counts against the quotas that all cases share
    known = [edge for edge in edges(stage.contract, operation) if edge.can_be_made(stage)]
    for side in (MOST, LEAST):
        own = [edge for edge in known if edge.side == side]
        if not own:
            continue
        base = yield from survey.ready(stage.contract, operation, stage, ALL, everything=True)
        answer = yield from one(_put(stage, base, own, f"{ALL} {side}"))
        if answer.status in INVALID:
            for edge in own[:MAX_EDGES]:
                yield from _alone(operation, stage, edge)


def _alone(operation: Operation, stage: Stage, edge: Edge) -> Steps[None]:
    """One member within its bound, at it and within it again, each time by somebody fresh where that can be had.

    What else stands in the body is what must, with the same numbers and words of a list each time.
    """
    first: Request | None = None
    for word in (WITHIN, AT, STILL):
        base = yield from survey.ready(stage.contract, operation, stage, word)
        first = first or base
        if not _fits(edge, base.json()) or (not edge.text and _has_another(stage.contract, first.json(), edge)):
            return
        like = _like(stage.contract, operation, first, base)
        sent = yield from one(_put(stage, like, [edge], f"{word} {edge.name}", within=word != AT))
        if (sent.outcome is Outcome.OK) == (word == AT):
            return


def _fits(edge: Edge, body: Any) -> bool:
    """Whether a body has what the member stands in."""
    above = edge.place.rpartition("/")[0]
    return isinstance(pointer.get(body, above) if above else body, dict)


def _has_another(contract: Contract, body: Any, edge: Edge) -> bool:
    """Whether a body holds another number, to which a rule of the API's own may relate this one."""
    found = (place for place, value in pointer.leaves(body) if _is_number(value))
    return any(place != edge.place and not _refers(contract, place) for place in found)


def _refers(contract: Contract, place: str) -> bool:
    names = [name for name in pointer.tokens(place) if not name.isdigit()]
    return bool(names) and referred(contract, names[-1]) is not None


def _like(contract: Contract, operation: Operation, first: Request, base: Request) -> Request:
    """The request with the first one's numbers, booleans and words of a list: these decide which rules hold."""
    declared, body = operation.json_body(), base.json()
    for leaf in leaves(contract, declared.schema, written=True) if declared is not None else ():
        place = leaf.pointer.replace("/*", "/0")
        drawn = pointer.get(first.json(), place)
        fixed = not isinstance(drawn, str) or "enum" in leaf.schema
        if fixed and drawn is not pointer.MISSING and referred(contract, leaf.name) is None:
            body = pointer.put(body, place, drawn) if pointer.get(body, place) is not pointer.MISSING else body
    return replace(base, body=dumped(body))


def _put(stage: Stage, base: Request, chosen: Sequence[Edge], step: str, *, within: bool = False) -> Request:
    body = base.json()
    for edge in chosen:
        if _fits(edge, body):
            body = pointer.put(body, edge.place, edge.value(stage, within=within))
    return replace(base, body=dumped(body), step=step)


def judge(look: Look, operation: Operation, exchanges: Sequence[Exchange]) -> None:
    """What is taken within its bound, before and after, is taken at it."""
    steps = {exchange.request.step: exchange for exchange in exchanges if exchange.operation == operation.id}
    for step, exchange in steps.items():
        word, _, name = step.partition(" ")
        if word == ALL and name in {MOST, LEAST}:
            if exchange.outcome is Outcome.OK:
                look.examined += 1
            elif exchange.status not in INVALID:
                look.answered(exchange)
        if word != AT or f"{WITHIN} {name}" not in steps or not look.answered(exchange):
            continue
        within, still = steps[f"{WITHIN} {name}"], steps.get(f"{STILL} {name}")
        if exchange.outcome is Outcome.OK:
            look.examined += 1
        elif exchange.status in INVALID and still is not None and still.outcome is Outcome.OK:
            look.examined += 1
            place, rule = name.rsplit(" ", 1)
            promised = f"What the document allows is taken: {place} at its {rule}."
            seen = f"At its {rule} {place} was answered {exchange.status}; one step within it {within.status}, twice."
            look.found(CODE, name, promised, seen, within, exchange, still)
