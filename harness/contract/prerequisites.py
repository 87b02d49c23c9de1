"""Which operation produces what another needs, with the evidence for it: worked out from the contract alone.

For every input that names another thing (a path parameter, a body member such as `categoryId`, a required query
parameter) each operation that could produce it is a candidate (candidates.py). Of these the one with the most evidence
is taken that can itself be called: what needs itself, over however many steps, is told as a cycle. A link in the
document or a resource in x-promises settles what names leave open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from harness.contract.candidates import Candidates, Producer, Wanted
from harness.contract.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.contract.contract import Contract
    from harness.contract.operation import Operation

LINK = "write a link at the answer of the operation that makes it"
TOLD = f"declare its resource under x-promises.resource, {LINK}, or give it an example"


@dataclass(frozen=True, slots=True)
class Need:
    """One input that names another thing. `place` is path, query or body; `name` a parameter's, or a body's pointer.

    `producer` is None where nothing makes it: then it is `given` by the document, or `problem` says what is not known.
    `others` could make it too.
    """

    operation: str
    place: str
    name: str
    required: bool = True
    producer: Producer | None = None
    others: tuple[Producer, ...] = ()
    given: bool = False
    problem: str = ""

    @property
    def shown(self) -> str:
        """The input as a message names it."""
        return f"{{{self.name}}}" if self.place == "path" else f"?{self.name}" if self.place == "query" else self.name

    @property
    def blocks(self) -> bool:
        """Whether the operation cannot be called for want of it; elsewhere a value is drawn where nothing is known."""
        return bool(self.problem) and (self.place == "path" or (self.required and bool(self.others)))


class Prerequisites:
    """What each operation of a contract needs, and what is to be called for it; no plan has a cycle."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._needs: dict[str, tuple[Need, ...]] = {}

    def needs(self, operation: Operation) -> tuple[Need, ...]:
        """Every input of the operation that names another thing, path parameters first."""
        if operation.id not in self._needs:
            wanted = self._settled.wanted(operation)
            self._needs[operation.id] = tuple(self._need(operation, item) for item in wanted)
        return self._needs[operation.id]

    def need(self, operation: Operation, place: str, name: str) -> Need | None:
        """What is known of one input; None where it names nothing."""
        return next((need for need in self.needs(operation) if (need.place, need.name) == (place, name)), None)

    def order(self, operation: Operation) -> tuple[str, ...]:
        """The producers that a call with what is required stands on, each after what it needs itself."""
        found: dict[str, None] = {}

        def follow(item: Operation) -> None:
            for need in self.needs(item):
                if need.producer is not None and need.required and need.producer.operation not in found:
                    follow(self.contract.by_id[need.producer.operation])
                    found[need.producer.operation] = None

        follow(operation)
        return tuple(found)

    def resource(self, producer: Producer) -> Resource:
        """What a producer makes, as a resource: the contract's own where it tells the id at the same place."""
        for resource in self.contract.resources:
            if resource.create == producer.operation and producer.pointer in {"", resource.id}:
                return resource
        return Resource(producer.noun, create=producer.operation, id=producer.pointer)

    @property
    def unknown(self) -> tuple[Need, ...]:
        """Every need that could not be worked out, in the document's order."""
        return tuple(need for item in self.contract.operations for need in self.needs(item) if need.problem)

    @cached_property
    def _settled(self) -> Settled:
        return Settled(Candidates(self.contract))

    def _need(self, operation: Operation, wanted: Wanted) -> Need:
        """A producer that can be called; of what is itself a producer only the one that it was settled with.

        What is settled leads to nothing that is not, so no choice here closes a circle.
        """
        plans = self._settled.plans
        producer = next((item for item in wanted.producers if item.operation in plans), None)
        if wanted.required and operation.id in plans:
            producer = plans[operation.id].get((wanted.place, wanted.name))
        others = tuple(item for item in wanted.producers if item != producer)
        need = Need(operation.id, wanted.place, wanted.name, wanted.required, producer, others, wanted.given)
        return need if producer or need.given else replace(need, problem=self._problem(operation, wanted))

    def _problem(self, operation: Operation, wanted: Wanted) -> str:
        shown = Need(operation.id, wanted.place, wanted.name).shown
        if not wanted.producers:
            drawn = "" if wanted.place == "path" else ", and a value that is drawn is sent"
            return f"nothing tells what {shown} is{drawn}; {TOLD}"
        ring = self._settled.ring(operation)
        if ring:
            return f"{' needs '.join(ring)}: they need each other; give an example for one of them, or {LINK}"
        first = wanted.producers[0].operation
        return f"{shown} is made by {first}, which cannot be called: {self._settled.reason(first)}"


class Settled:
    """The producers that can be called, each with what is chosen for its own needs; never in a circle."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._by_id = candidates.contract.by_id
        self.plans: dict[str, dict[tuple[str, str], Producer]] = {}
        waiting = list(self._closure())
        while waiting:
            taken = self._next(waiting)
            if taken is None:
                break
            waiting = [name for name in waiting if name not in taken]
        self._stuck = frozenset(waiting)

    def wanted(self, operation: Operation) -> Sequence[Wanted]:
        """The inputs of an operation that name other things, with every candidate."""
        return self._candidates.of(operation)

    def _closure(self) -> Iterable[str]:
        """Every operation that may have to be called to make something, in the document's order."""
        found = {
            producer.operation
            for operation in self._candidates.contract.operations
            for wanted in self.wanted(operation)
            for producer in wanted.producers
        }
        return [operation.id for operation in self._candidates.contract.operations if operation.id in found]

    def _next(self, waiting: Sequence[str]) -> set[str] | None:
        """Settles all whose best producers are settled; where there are none, the one with the least second choice."""
        first = {name: plan for name in waiting if (plan := self._plan(name, spare=False)) is not None}
        if first:
            self.plans.update(first)
            return set(first)
        for name in waiting:
            plan = self._plan(name, spare=True)
            if plan is not None:
                self.plans[name] = plan
                return {name}
        return None

    def _plan(self, name: str, *, spare: bool) -> dict[tuple[str, str], Producer] | None:
        """A producer for each need, all of them settled; None where one is missing. Only the best ones without `spare`.

        What the document gives needs no producer where none can be had.
        """
        plan: dict[tuple[str, str], Producer] = {}
        for wanted in self.wanted(self._by_id[name]):
            if not wanted.required:
                continue
            able = [item for item in wanted.producers[: None if spare else 1] if item.operation in self.plans]
            if able:
                plan[wanted.place, wanted.name] = able[0]
            elif (wanted.producers or wanted.place == "path") and not (
                wanted.given and (spare or not wanted.producers)
            ):
                return None
        return plan

    def ring(self, operation: Operation) -> list[str]:
        """A circle of needs through the operation, or through what it needs; none where there is none."""
        path: list[str] = [operation.id]
        while True:
            following = next(
                (
                    producer.operation
                    for wanted in self.wanted(self._by_id[path[-1]])
                    if wanted.required and not wanted.given
                    for producer in wanted.producers
                    if producer.operation in self._stuck
                ),
                None,
            )
            if following is None:
                return []
            if following in path:
                return [*path[path.index(following) :], following]
            path.append(following)

    def reason(self, name: str) -> str:
        """What a producer that cannot be called lacks in the end."""
        seen = {name}
        while True:
            wanted = next(item for item in self.wanted(self._by_id[name]) if self._lacks(item))
            if not wanted.producers:
                shown = Need(name, wanted.place, wanted.name).shown
                return f"nothing tells what {shown} of {name} is; {TOLD}"
            name = wanted.producers[0].operation
            if name in seen:
                return f"what it needs needs {name} again; give an example, or {LINK}"
            seen.add(name)

    def _lacks(self, wanted: Wanted) -> bool:
        able = any(item.operation in self.plans for item in wanted.producers)
        return wanted.required and not wanted.given and not able and bool(wanted.producers or wanted.place == "path")
