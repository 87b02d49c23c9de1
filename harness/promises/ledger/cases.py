"""The cases: programs of draws and givings back over fresh things, some told, some drawn."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from hypothesis import strategies

from harness import things
from harness.case import Case, Pause, Steps, one, together
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Exchange, Outcome, Request
from harness.promises.drawing import drawn_with
from harness.promises.ledger import varied
from harness.promises.ledger.account import AFTER, BEFORE, DRAW, RESTORE
from harness.promises.ledger.annotation import KEY, Ledger, ledger
from harness.promises.ledger.judge import settled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from hypothesis.strategies import SearchStrategy

    from harness.contract import Contract, Operation
    from harness.identities import Identity
    from harness.stage import Stage
    from harness.things import Thing

DRAWN = 6
DRAWS_EACH = 8
CHEAP = 0.01
LATE_S = (0.5, 1.5)
MOST_STOCK = 4
QUANTITIES_DRAWN: tuple[float, ...] = (1, 2, 3, 1, 2, 1, 1, 2, 1, 4, 2, 1, 0, -1, 0.5)  # mostly small, some invalid
UNIT, TOTAL = "unit", "total"

# What the things cost, where that can be set: binary fractions lie below these, so that one cut off is too little.
# Those from `varied` on also have the other numbers that a thing may have, such as a discount, drawn for them, where
# their unit is reckoned: of one that is set itself such a number can change the total alone.
AMOUNT: Mapping[str, Any] = {
    "stock": [20, 20, 20, 20, 20],
    "units": [0.29, 19.99, 0.29, 19.99, 19.95],
    "varied": 2,
    "groups": [
        [{"draw": [[0, 2], [1, 1]]}],
        [{"draw": [[0, 3]], "told": [UNIT]}],
        [{"draw": [[0, 3]], "told": [TOTAL]}],
        [{"draw": [[0, 3]], "told": [UNIT, TOTAL]}],
        *([{"draw": [[at, 3]]}] for at in (2, 3, 4)),
    ],
}
QUANTITIES: Mapping[str, Any] = {
    "stock": [4, 1],
    "groups": [
        [{"draw": [[0, 1]]}],
        [{"restore": 0}, {"restore": 0}],
        [{"restore": 0}],
        [{"draw": [[0, -1]]}],
        [{"draw": [[0, 0]]}],
        [{"draw": [[0, 1.5]]}],
        [{"draw": [[0, 2], [1, 5]]}],
        [{"draw": [[0, 3], [0, 3]]}],
        [{"draw": [[0, 9]]}],
    ],
}
RACE: Mapping[str, Any] = {
    "stock": [4, 30],
    "groups": [
        [{"draw": [[0, 1], [1, 1]]} for _ in range(12)],
        [{"restore": at} for at in range(12) for _ in range(2)],
    ],
}


def cases(contract: Contract, operation: Operation, random: Random) -> Sequence[Case]:
    """The programs that always run, and some that are drawn."""
    declared = ledger(contract, operation)
    if declared is None:
        return []
    fixed = [_case(operation, "quantities", QUANTITIES), _case(operation, "race", RACE)]
    if declared.total:
        fixed.append(_case(operation, "amount", AMOUNT))
    programs = drawn_with(strategy(contract, operation), random, DRAWN)
    return [*fixed, *(case_of(contract, operation, program) for program in programs)]


def case_of(contract: Contract, operation: Operation, parameters: Mapping[str, Any]) -> Case:
    """The case of a program; its name is the program's own, so that two do not meet in a history."""
    del contract
    text = json.dumps(parameters, sort_keys=True)
    return _case(operation, f"program-{zlib.crc32(text.encode()):08x}", parameters)


def _case(operation: Operation, name: str, parameters: Mapping[str, Any]) -> Case:
    return Case(KEY, operation.id, name, partial(_steps, operation=operation, parameters=parameters), parameters)


def strategy(contract: Contract, operation: Operation) -> SearchStrategy[dict[str, Any]]:
    """Programs: the stock of one or two things, and groups of draws and givings back that are released together.

    A draw is a list of `[thing, quantity]`; `told` says what the client says of prices; a giving back names a draw.
    """
    declared = ledger(contract, operation)
    many = declared is not None and declared.many
    line = strategies.tuples(strategies.integers(0, 1), strategies.sampled_from(QUANTITIES_DRAWN)).map(list)
    lines = strategies.lists(line, min_size=1, max_size=3 if many else 1)
    draw: SearchStrategy[dict[str, Any]] = strategies.fixed_dictionaries({"draw": lines})
    choices: list[SearchStrategy[dict[str, Any]]] = [draw] * 6
    if declared is not None and declared.total:
        told = strategies.sampled_from([[UNIT], [TOTAL]])
        choices.append(strategies.fixed_dictionaries({"draw": lines, "told": told}))
    if declared is not None and declared.restore:
        choices += [strategies.fixed_dictionaries({"restore": strategies.integers(0, DRAWS_EACH)})] * 2
    action = strategies.sampled_from(choices).flatmap(lambda chosen: chosen)
    groups = strategies.lists(strategies.lists(action, min_size=1, max_size=6), min_size=1, max_size=4)
    stock = strategies.lists(strategies.integers(1, MOST_STOCK), min_size=1, max_size=2)
    return strategies.fixed_dictionaries({"stock": stock, "groups": groups})


def _steps(stage: Stage, operation: Operation, parameters: Mapping[str, Any]) -> Steps[None]:
    declared = ledger(stage.contract, operation)
    if declared is None or not declared.resource.read:
        raise CannotTell(f"{operation.id}: the thing that it draws from cannot be read")
    held = yield from _things(stage, declared, parameters)
    seen: list[Exchange] = []
    for at, thing in enumerate(held):
        seen.append((yield from one(_read(stage, declared, thing, f"{BEFORE}:{at}"))))
    program = _Program(stage, operation, declared, held)
    yield from program.prepare(parameters["groups"])
    for group in parameters["groups"]:
        requests = yield from program.requests(group)
        answers = yield from (_single(requests[0]) if len(requests) == 1 else together(tuple(requests)))
        program.learn(answers)
        seen += answers
    for wait_s in (0.0, *LATE_S):
        if wait_s:
            yield Pause(wait_s)
        after = []
        for at, thing in enumerate(held):
            after.append((yield from one(_read(stage, declared, thing, f"{AFTER}:{at}"))))
        if settled(stage.contract, operation, [*seen, *after]):
            return


def _single(request: Request) -> Steps[tuple[Exchange, ...]]:
    """A request alone, which a driver may pace."""
    return ((yield from one(request)),)


def _things(stage: Stage, declared: Ledger, parameters: Mapping[str, Any]) -> Steps[list[Thing]]:
    """A fresh thing for each stock, at its unit where that can be set; all refer to what was made for the first."""
    made: list[Thing] = []
    stock, units = parameters["stock"], parameters.get("units", ())
    create = stage.contract.by_id[declared.resource.create] if declared.resource.create else None
    if create is None:
        raise CannotTell(f"no operation makes a {declared.resource.name}; declare one under x-promises.resource")
    maker = yield from things.identity_for(stage, create)
    first_varied = len(stock)
    if varied.is_reckoned(stage.contract, create, declared.unit):
        first_varied = parameters.get("varied", len(stock))
    for at, quantity in enumerate(stock):
        members: dict[str, Any] = {declared.quantity: quantity}
        if at < len(units):
            cost = varied.cost(stage.contract, create, declared.unit, units[at])
            members |= cost
            if cost and at >= first_varied:
                members |= {
                    place: value for place, value in varied.members(stage, create).items() if place not in members
                }
        if made:
            members |= things.references(stage.contract, made[0].sent)
        made.append((yield from things.make(stage, declared.resource, maker=maker, members=members)))
    yield from varied.together(stage, declared.resource, made[first_varied:])
    return made


def _read(stage: Stage, declared: Ledger, thing: Thing, step: str) -> Request:
    operation = stage.contract.by_id[declared.resource.read]
    path = {parameter.name: thing.id for parameter in operation.path_parameters[-1:]}
    return stage.request(operation.id, path=path, identity=thing.maker, step=step)


class _Program:
    """Makes the requests of a program, and learns from its draws what can be given back."""

    def __init__(self, stage: Stage, operation: Operation, declared: Ledger, held: Sequence[Thing]) -> None:
        self.stage, self.operation, self.declared, self.held = stage, operation, declared, held
        self.buyers: list[Identity] = []
        self.template: Any = None
        self.count = 0
        self.made: dict[int, tuple[str, Identity]] = {}

    def prepare(self, groups: Sequence[Sequence[Mapping[str, Any]]]) -> Steps[None]:
        """Enough callers that no usual limit stands in the way, and a valid body to put the lines in."""
        draws = sum("draw" in action for group in groups for action in group)
        for _ in range(max(1, -(-draws // DRAWS_EACH), min(2, draws))):
            self.buyers.append((yield from things.identity_for(self.stage, self.operation)))
        first = self.held[0].id
        given = {self.declared.first(self.declared.key): first, self.declared.first(self.declared.draw): 1}
        self.template = yield from things.valid(
            self.stage, self.operation, identity=self.buyers[0], members=given, step=things.SETUP
        )

    def requests(self, group: Sequence[Mapping[str, Any]]) -> Steps[list[Request]]:
        """The requests of one group; a giving back of what was never drawn is left out."""
        found: list[Request] = []
        for action in group:
            if "draw" in action:
                found.append(self._draw(action))
            elif action["restore"] in self.made:
                found.append((yield from self._restore(action["restore"])))
        return found or [self._draw({"draw": [[0, 1]]})]

    def _draw(self, action: Mapping[str, Any]) -> Request:
        held = [self.held[at % len(self.held)] for at, _ in action["draw"]]
        lines = [(_like(thing), quantity) for thing, (_, quantity) in zip(held, action["draw"], strict=True)]
        declared = self.declared
        body = declared.body(self.template.json(), lines)
        told = action.get("told", ())
        if UNIT in told:
            places = [f"{declared.lines}/{at}" for at in range(len(lines))] if declared.many else [""]
            for place in places:
                body = pointer.put(body, f"{place}{declared.unit}", CHEAP)
        if TOTAL in told:
            body = pointer.put(body, declared.total, CHEAP)
        step, buyer = f"{DRAW}:{self.count}", self.buyers[self.count % len(self.buyers)]
        self.count += 1
        data = json.dumps(body, ensure_ascii=False).encode()
        drawn: Request = replace(self.template, body=data, identity=buyer, step=step)
        return drawn

    def _restore(self, number: int) -> Steps[Request]:
        id_, buyer = self.made[number]
        operation = self.stage.contract.by_id[self.declared.restore]
        path = {parameter.name: id_ for parameter in operation.path_parameters[-1:]}
        step = f"{RESTORE}:{number}"
        request: Request = yield from things.valid(self.stage, operation, identity=buyer, path=path, step=step)
        return request

    def learn(self, answers: Sequence[Exchange]) -> None:
        """Keeps the id of every draw that was accepted."""
        resource = self.stage.contract.resource_of(self.operation.id)
        place = resource.id if resource is not None and resource.create == self.operation.id else "/id"
        for exchange in answers:
            word, _, at = exchange.request.step.partition(":")
            if word == DRAW and exchange.outcome is Outcome.OK and exchange.response is not None:
                found = pointer.get(exchange.response.json(), place)
                if isinstance(found, str | int):
                    self.made[int(at)] = (str(found), exchange.request.identity)


def _like(thing: Thing) -> str | int:
    """The thing's id as the API writes it: a number stays one."""
    told = pointer.get(thing.body, thing.resource.id)
    return told if isinstance(told, str | int) else thing.id
