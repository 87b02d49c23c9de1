"""The cases of `page`: walks over what was planted, and sizes and places out of bounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from harness import things
from harness.case import Case, one
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import walking
from harness.promises.filter.narrowing import Narrowing, narrowing
from harness.promises.paging import KEY, paging
from harness.promises.planting import bed, source, stranger
from harness.promises.walking import Way, labelled, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.promises.paging import Paging
    from harness.promises.planting import Bed
    from harness.promises.walking import Walk
    from harness.stage import Stage

COUNT = 5
SMALL = 2
MOST_SMALL = 8
INSERTS = 2
INSERT_PAGES = 6
FAR = 5_000
HUGE = 1_000_000
ID = "/id"
WHOLE, ANEW, INSERTED, PLAIN = "whole", "small", "inserts", "default"
PAST, CONTROL, BOUND = "past", "control", "bound"
BELOW, OVER, NO_NUMBER = "below", "over", "no number"


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """A walk, alone where no filter narrows the list, and one without that filter; bounds where paging is declared."""
    found = []
    if source(contract, operation) is not None or (
        contract_says(contract, operation) and not operation.path_parameters
    ):
        shared = narrowing(contract, operation, "") is None
        found.append(Case(KEY, operation.id, "walk", partial(_walk, operation), alone=shared))
        if not shared:
            found.append(Case(KEY, operation.id, "unfiltered", partial(_unfiltered, operation), alone=True))
    if contract_says(contract, operation) and any(wrong(paging(contract, operation))):
        found.append(Case(KEY, operation.id, "bounds", partial(_bounds, operation)))
    return found


@dataclass(frozen=True, slots=True)
class _Ground:
    """What was planted, and how the list that holds it is walked."""

    way: Way
    bed: Bed | None = None
    narrow: Narrowing | None = None

    @property
    def names(self) -> set[str]:
        """The ids of what was planted; none where nothing says what makes the list's items."""
        return set(self.bed.names if self.bed else ())

    def more(self) -> Steps[None]:
        """One thing more in the same list."""
        if self.bed is not None:
            yield from self.bed.plant(self.narrow.row(len(self.bed.planted)) if self.narrow else {})


def _ground(stage: Stage, operation: Operation) -> Steps[_Ground]:
    if source(stage.contract, operation) is None:
        identity = yield from things.identity_for(stage, operation)
        return _Ground(Way(operation, paging(stage.contract, operation), identity, ID))
    found = bed(stage, operation)
    narrow = narrowing(stage.contract, operation, stage.unique("p"))
    for number in range(COUNT):
        yield from found.plant(narrow.row(number) if narrow else {})
    yield from stranger(stage, operation)
    way = yield from found.way(operation, paging(stage.contract, operation))
    return _Ground(way.narrowed(narrow.query(found.planted[0])) if narrow else way, found, narrow)


def _walk(operation: Operation, stage: Stage) -> Steps[None]:
    """The list walked whole, again with pages of another size, and again while more is made; then what lies past it."""
    ground = yield from _ground(stage, operation)
    way, shown = ground.way, ground.way.paging
    small = max(shown.least or 1, SMALL)
    whole = yield from walk(stage, way, label=labelled(WHOLE), size=small + 1 if ground.narrow else shown.largest)
    if not whole.answered:
        raise CannotTell(walking.unanswered(whole))
    if not whole.whole and not (ground.names and ground.names <= set(whole.names)):
        raise CannotTell(f"{operation.id}: the list could not be walked to its end; {walking.unended(whole)}")
    if shown.size:
        yield from walk(stage, way, label=labelled(ANEW), size=small, most=MOST_SMALL)
    if not contract_says(stage.contract, operation):
        return
    if shown.size:
        yield from walk(stage, way, label=labelled(PLAIN), size=None, most=1)
    yield from _while_more_is_made(stage, ground, whole, small)
    far = _far(operation, way.paging)
    if shown.counts and far.first >= len(whole.items):
        yield from walk(stage, replace(way, paging=far), label=lambda _: PAST, size=small, most=1)


def _unfiltered(operation: Operation, stage: Stage) -> Steps[None]:
    """The list without the filter that narrows it elsewhere; where it is too long to be walked it is left at that."""
    found = bed(stage, operation)
    yield from found.plant({})
    way = yield from found.way(operation, paging(stage.contract, operation))
    yield from walk(stage, way, label=labelled(WHOLE), size=way.paging.largest)


def contract_says(contract: Contract, operation: Operation) -> bool:
    """Whether the contract itself says how the list is paged."""
    return contract.promise(KEY, operation) is not None


def _while_more_is_made(stage: Stage, ground: _Ground, whole: Walk, small: int) -> Steps[None]:
    """Pages of such a size that there are several, with something made after each of the first."""

    def made(number: int) -> Steps[None]:
        if number < INSERTS:
            yield from ground.more()

    size = min(max(small, -(-len(whole.items) // INSERT_PAGES)), ground.way.paging.largest)
    yield from walk(stage, ground.way, label=labelled(INSERTED), size=size, between=made)


def _far(operation: Operation, shown: Paging) -> Paging:
    """The paging of which the first page is one that lies far past the end, as far as the contract lets one ask."""
    name = shown.page or shown.offset
    schema = next((item.schema for item in operation.parameters if (item.place, item.name) == ("query", name)), {})
    return replace(shown, page=name, offset="", first=int(min(FAR, schema.get("maximum", FAR))))


def wrong(shown: Paging) -> Iterator[tuple[str, str, str]]:
    """Parameters with a value out of bounds and what is wrong with it: (parameter, value, kind)."""
    if shown.size:
        if shown.least:
            yield shown.size, str(shown.least - 1), BELOW
        yield shown.size, "-1", BELOW
        if shown.most is not None:
            yield shown.size, str(shown.most + 1), OVER
            yield shown.size, str(max(HUGE, shown.most * 2)), OVER
        yield shown.size, "abc", NO_NUMBER
    place = shown.page or shown.offset
    if place:
        if shown.page and shown.first > 0:
            yield place, str(shown.first - 1), BELOW
        yield place, "-5", BELOW
        yield place, "abc", NO_NUMBER


def _bounds(operation: Operation, stage: Stage) -> Steps[None]:
    """A page as it may be asked for, then each that may not."""
    shown = paging(stage.contract, operation)
    identity = yield from things.identity_for(stage, operation)
    plain = yield from things.valid(stage, operation, identity=identity)
    control = yield from one(replace(plain, step=CONTROL))
    if control.outcome is not Outcome.OK:
        raise CannotTell(f"{operation.id} answered {control.status or control.error} without any parameter")
    for name, value, kind in wrong(shown):
        query = (*(pair for pair in plain.query if pair[0] != name), (name, value))
        yield from one(replace(plain, query=query, step=f"{BOUND}|{name}|{kind}"))
