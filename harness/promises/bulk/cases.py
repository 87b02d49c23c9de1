"""The case of `bulk`: many items in one call, one of which is to fail; without that one where the whole is refused."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import SETTLE_S, Case, Pause, one
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import acting, survey, wrong_values
from harness.promises import subject as subjects
from harness.promises.altered import dumped, path_values
from harness.promises.bulk import answer as answers
from harness.promises.bulk import reworded
from harness.promises.bulk.steps import ALONE, BODIES, IDS, KEY, LAST, MIXED, PLAIN, READ, READ_LATER
from harness.promises.look import GATES
from harness.promises.resource.needs import needs
from harness.promises.resource.steps import step, succeeded
from harness.promises.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation, Resource
    from harness.exchange import Exchange, Request
    from harness.identities import Identity
    from harness.stage import Stage

FRESH = 2
# More than ten, by which things are often done together.
ROWS = 11
MAX_SPOILT = 4
MOST = 20
MAX_READ = 5
GONE = {404, 410}


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation says that it answers for many items."""
    return isinstance(contract.promise(KEY, operation), dict)


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """One case, whose items are ids or bodies as the schema of the request says."""
    return (Case(KEY, operation.id, "items", partial(_items, operation)),) if applies(contract, operation) else ()


@dataclass(frozen=True, slots=True)
class _Call:
    """The operation as a case calls it: who calls, on which path, and the schemas of the list and of an item."""

    operation: Operation
    told: Mapping[str, Any]
    caller: Identity
    path: Mapping[str, str]
    listed: Mapping[str, Any]
    item: Mapping[str, Any]

    @property
    def least(self) -> int:
        """How many items its list must have."""
        return max(1, int(self.listed.get("minItems", 1)))

    @property
    def most(self) -> int:
        """How many items its list may have, of those that are sent here."""
        return min(MOST, int(self.listed.get("maxItems", MOST)))


def _items(operation: Operation, stage: Stage) -> Steps[None]:
    stage.familiar = stage.actors.company()
    told = stage.contract.promise(KEY, operation)
    listed = _listed(stage.contract, operation, told["items"])
    item = wrong_values.joined(stage.contract, listed.get("items", {}))
    caller = yield from things.identity_for(stage, operation)
    path: dict[str, str] = {}
    if operation.path_parameters:
        path = path_values(operation, (yield from things.valid(stage, operation, identity=caller)))
    call = _Call(operation, told, caller, path, listed, item)
    if call.least > call.most:
        raise CannotTell(f"{operation.id} takes no fewer than {call.least} items; a case sends up to {MOST}")
    resource = stage.contract.resource(told.get("resource", ""))
    if wrong_values.type_of(item) in {"object", "array"}:
        yield from _bodies(call, resource, stage)
    else:
        yield from _ids(call, resource, stage)


def _listed(contract: Contract, operation: Operation, place: str) -> Mapping[str, Any]:
    """The schema of the list of items; raises CannotTell where the body has none at the place."""
    declared = operation.json_body()
    schema = wrong_values.joined(contract, declared.schema if declared else {})
    for name in pointer.tokens(place):
        schema = wrong_values.joined(contract, schema.get("properties", {}).get(name, {}))
    if wrong_values.type_of(schema) != "array":
        raise CannotTell(f"{operation.id}: its JSON body has no list at {place!r}; mend x-promises.bulk.items")
    return schema


def _ids(call: _Call, resource: Resource | None, stage: Stage) -> Steps[None]:
    """Fresh things and, after them, ids that nothing has, as many as may be sent."""
    create = stage.contract.by_id.get(resource.create) if resource is not None else None
    if resource is None or create is None:
        raise CannotTell(f"{call.operation.id}: its items are ids, so x-promises.bulk.resource must name what has them")
    maker = call.caller
    if not subjects.may(stage.contract, create, maker):
        maker = yield from things.identity_for(stage, create)
    above = {item.name: call.path[item.name] for item in create.path_parameters if item.name in call.path}
    fresh = []
    for _ in range(max(min(FRESH, call.most), call.least)):
        members = yield from needs(stage, create)
        thing = yield from things.make(stage, resource, maker=maker, members=members, path=above)
        fresh.append(acting.reference(subjects.of_thing(stage.contract, thing)))
    known = fresh[: call.most - 1]
    mixed = [*known, *dict.fromkeys(_nothing(call, stage) for _ in range(call.most - len(known)))]
    if len(mixed) >= max(FRESH, call.least):
        answered = yield from _sent(call, stage, mixed, step(MIXED, IDS))
        if not _refused(answered):
            return
    yield from _plain(call, stage, fresh, IDS)


def _nothing(call: _Call, stage: Stage) -> Any:
    """An id of the right form that nothing has."""
    name = next(iter(reversed(pointer.tokens(call.told["items"]))), "")
    text = survey.nothing(stage, call.item, name)
    return int(float(text)) if wrong_values.type_of(call.item) in {"integer", "number"} else text


def _bodies(call: _Call, resource: Resource | None, stage: Stage) -> Steps[None]:
    """Fresh rows and the first of them once more; then what is told as made is read, and rows at fault are sent."""
    rows = yield from _rows(call, stage, min(ROWS, call.most - 1))
    if len(rows) < call.most and not call.listed.get("uniqueItems"):
        answered = yield from _sent(call, stage, [*rows, rows[0]], step(MIXED, BODIES))
        if _refused(answered):
            answered = yield from _plain(call, stage, (yield from _rows(call, stage, FRESH)), BODIES, resource)
    else:
        answered = yield from _plain(call, stage, rows, BODIES, resource)
    if resource is not None:
        yield from _faulty(call, resource, stage)
    if resource is None or resource.read not in stage.contract.by_id or not succeeded(answered):
        return
    account = answers.read(call.told, subjects.shown(answered), (), resource.id)
    made = list(answers.made_ids(call.told, account, resource.id))[:MAX_READ]
    missed = []
    for known in made:
        subject = Subject(resource, known, call.caller, call.path)
        read = yield from subjects.read(stage, subject, step(READ, known))
        missed += [subject] if read is not None and read.status in GONE else []
    if missed:
        yield Pause(SETTLE_S)
    for subject in missed:
        yield from subjects.read(stage, subject, step(READ_LATER, subject.id))


def _faulty(call: _Call, resource: Resource, stage: Stage) -> Steps[None]:
    """Items that the schema of the list lets pass and that of the resource's create does not, behind one that is right.

    What is told as made of them is held against the schema of the answer, as any answer is.
    """
    create, body = stage.contract.by_id.get(resource.create), call.operation.json_body()
    validator = stage.contract.validator(body.pointer) if body is not None else None
    if create is None or create.json_body() is None or validator is None or call.most < max(FRESH, call.least):
        return
    right = yield from _rows(call, stage, call.least)
    spoilt: list[Any] = []
    for wrong in wrong_values.in_body(stage.contract, create):
        if len(right) + len(spoilt) >= min(call.most, call.least + MAX_SPOILT):
            break
        if wrong.remove or pointer.get(right[0], wrong.place) is pointer.MISSING:
            continue
        row = pointer.put((yield from _rows(call, stage, 1))[0], wrong.place, wrong.value)
        if validator.is_valid(pointer.put({}, call.told["items"], [row] * call.least)):
            spoilt.append(row)
    if spoilt:
        yield from _sent(call, stage, [*right, *spoilt], step(MIXED, BODIES))


def _rows(call: _Call, stage: Stage, count: int) -> Steps[list[Any]]:
    """Valid items that differ from one another as far as the schema lets them; at least one, and as many as must be."""
    found = []
    for _ in range(max(min(count, call.most), call.least)):
        for everything in (False, True):
            request = yield from things.valid(
                stage, call.operation, identity=call.caller, path=call.path, everything=everything
            )
            row = pointer.get(request.json(), f"{call.told['items']}/0")
            if row is not pointer.MISSING:
                found.append(row)
                break
        else:
            raise CannotTell(f"{call.operation.id}: no item can be drawn for {call.told['items']!r}")
    return found


def _plain(
    call: _Call, stage: Stage, items: Sequence[Any], kind: str, resource: Resource | None = None
) -> Steps[Exchange]:
    """A call whose items are all as they should be; where it is refused, the same items in other words.

    Where none of these is taken, each body is sent to the create of its resource, which tells whether it is the items.
    """
    plain = yield from _sent(call, stage, items, step(PLAIN, kind))
    if not _refused(plain):
        return plain
    full = plain.request.json()
    with suppress(CannotTell):  # what may stand beside the list, and cannot be had, is left out
        full = (yield from _made(call, stage, items, everything=True)).json()
    others = reworded.bodies(stage.contract, call.operation, plain.request.json(), full) or [full]
    for number, body in enumerate(others, 1):
        word = step(LAST, kind) if number == len(others) else step(PLAIN, kind, number)
        answered = yield from one(replace(plain.request, body=dumped(body), step=word))
        if not _refused(answered):
            return answered
    create = stage.contract.by_id.get(resource.create) if resource is not None else None
    if kind == BODIES and create is not None and create.json_body() is not None:
        yield from _alone(call, create, items, stage)
    return plain


def _alone(call: _Call, create: Operation, items: Sequence[Any], stage: Stage) -> Steps[None]:
    """Each item by itself, to the create of its resource, until one is not taken."""
    above = {item.name: call.path[item.name] for item in create.path_parameters if item.name in call.path}
    maker = call.caller
    if not subjects.may(stage.contract, create, maker):
        maker = yield from things.identity_for(stage, create)
    for number, item in enumerate(items):
        base = yield from things.valid(stage, create, identity=maker, path=above)
        if not succeeded((yield from one(replace(base, body=dumped(item), step=step(ALONE, number))))):
            return


def _sent(call: _Call, stage: Stage, items: Sequence[Any], word: str) -> Steps[Exchange]:
    """One call with these items, valid in all else."""
    return (yield from one(replace((yield from _made(call, stage, items)), step=word)))


def _made(call: _Call, stage: Stage, items: Sequence[Any], *, everything: bool = False) -> Steps[Request]:
    """The request with these items, with no more beside them than must be or with all that may be."""
    place = call.told["items"]
    given = {f"{place}/{number}": item for number, item in enumerate(items)}
    base: Request = yield from things.valid(
        stage, call.operation, identity=call.caller, path=call.path, members=given, everything=everything
    )
    return replace(base, body=dumped(pointer.put(base.json(), place, list(items))))


def _refused(exchange: Exchange) -> bool:
    """Whether the whole was refused for what it holds."""
    return exchange.outcome is Outcome.REFUSED and exchange.status not in GATES
