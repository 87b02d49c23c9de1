"""The cases of `sort`: things that differ and things that do not, walked in each order with small pages."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import Case, one
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises.filter.cases import numbers
from harness.promises.filter.narrowing import markable, narrowing
from harness.promises.filter.rules import Rule, sent_at, settable
from harness.promises.paging import paging
from harness.promises.planting import bed, source
from harness.promises.sort.orders import KEY, Order, Orders, orders
from harness.promises.walking import Way, labelled, walk
from harness.promises.wrong_values import type_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.stage import Stage

COUNT = 6
SIZES = (2, 3)
WIDE_SIZE, WIDE_PAGES = 5, 6
DEFAULT, UNKNOWN, CONTROL = "default", "unknown", "control"
WORDS = ("b one", "a one", "c one", "a one", "b two", "a one", "a three", "a one")


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """One for each key, alone where no filter narrows the list; the default order; a key that there is not."""
    told = orders(contract, operation)
    if told is None:
        return ()
    known = {item.name for item in operation.parameters if item.place == "query"}
    keys: list[str] = list(told.keys) if told.by in known else []
    shared = narrowing(contract, operation, "") is None
    found = [Case(KEY, operation.id, f"by-{key}", partial(_by_key, operation, told, key), alone=shared) for key in keys]
    if told.default is not None:
        found.append(Case(KEY, operation.id, DEFAULT, partial(_default, operation, told), alone=shared))
    if keys and told.strict:
        found.append(Case(KEY, operation.id, UNKNOWN, partial(_unknown, operation, told)))
    return found


def _by_key(operation: Operation, told: Orders, key: str, stage: Stage) -> Steps[None]:
    """Both directions, and the first again with pages of another size."""
    rising, falling = (Order(key, told.keys[key], descending) for descending in (False, True))
    way, narrow = yield from _ground(stage, operation, rising.member)
    for number, (order, size) in enumerate(((rising, SIZES[0]), (falling, SIZES[0]), (rising, SIZES[1]))):
        label = labelled(f"{key}.{number}")
        yield from _walked(stage, way.narrowed(*told.query(order)), label, size, narrow=narrow)


def _default(operation: Operation, told: Orders, stage: Stage) -> Steps[None]:
    """The order that is had without asking, twice."""
    assert told.default is not None, "only a default has the case"
    way, narrow = yield from _ground(stage, operation, told.default.member)
    for number, size in enumerate(SIZES):
        yield from _walked(stage, way, labelled(f"{DEFAULT}.{number}"), size, narrow=narrow)


def _walked(stage: Stage, way: Way, label: Any, size: int, *, narrow: bool) -> Steps[None]:
    least = max(size, way.paging.least or 1)
    if narrow:
        yield from walk(stage, way, label=label, size=least)
    else:
        yield from walk(stage, way, label=label, size=max(least, WIDE_SIZE), most=WIDE_PAGES)


def _ground(stage: Stage, operation: Operation, member: str) -> Steps[tuple[Way, bool]]:
    """How the list is walked that holds fresh things, some equal at the member; and whether it is narrowed to them."""
    shown = paging(stage.contract, operation)
    if source(stage.contract, operation) is None:
        identity = yield from things.identity_for(stage, operation)
        return Way(operation, shown, identity, "/id"), False
    found = bed(stage, operation)
    place = sent_at(stage.contract, operation, member)
    other = narrowing(stage.contract, operation, stage.unique("n"), without=Rule("", "", (member,), place))
    for number, row in enumerate(_rows(settable(stage.contract, operation, place), place)):
        yield from found.plant({**(other.row(number) if other else {}), **row})
    way = yield from found.way(operation, shown)
    return (way.narrowed(other.query(found.planted[0])), True) if other else (way, False)


def _rows(schema: Mapping[str, Any] | None, place: str) -> list[dict[str, Any]]:
    """Members that differ and four that are equal, more than a page has; numbers that texts would order otherwise."""
    drawn: list[Any] = []
    if schema is not None and type_of(schema) in {"integer", "number"}:
        few = numbers(schema)
        drawn = [few[index % len(few)] for index in (1, 0, 1, 2, 1, 3, 1)]
    elif markable(schema):
        drawn = list(WORDS)
    return [{place: value} for value in drawn] or [{} for _ in range(COUNT)]


def _unknown(operation: Operation, told: Orders, stage: Stage) -> Steps[None]:
    """A list as it may be asked for, then by a member, and in a direction, that there is not."""
    identity = yield from things.identity_for(stage, operation)
    plain = yield from things.valid(stage, operation, identity=identity)
    key = next(iter(told.keys))
    query = dict(told.query(Order(key, told.keys[key], descending=False)))
    control = yield from one(replace(plain, query=tuple({**dict(plain.query), **query}.items()), step=CONTROL))
    if control.outcome is not Outcome.OK:
        raise CannotTell(f"{operation.id} answered {control.status or control.error} to {query}")
    for name in filter(None, (told.by, told.direction)):
        wrong = {**dict(plain.query), **query, name: f"no-{name}-{stage.nonce}"}
        yield from one(replace(plain, query=tuple(wrong.items()), step=f"{UNKNOWN}|{name}"))
