"""Schedules of calls: gaps, bursts and callers, drawn or told, driven against the operation as a case."""

from __future__ import annotations

import json
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any

from hypothesis import strategies

from harness.case import Case, Pause, Steps, together
from harness.errors import CannotTell
from harness.promises.rate_limit.annotation import KEY, Limit, limits
from harness.promises.rate_limit.caller import Caller, caller, other

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from hypothesis.strategies import SearchStrategy

    from harness.contract import Contract, Operation
    from harness.stage import Stage

WAVE = 150
TENTHS = 10
MAX_STEPS = 5
MAX_WAIT_TENTHS = 5
CALLERS = 2
MAX_WINDOW_S = 30.0


def strategy(contract: Contract, operation: Operation) -> SearchStrategy[dict[str, Any]]:
    """Schedules of an operation: `[wait in tenths of the window, caller, calls]`, with up to more than the quota."""
    calls = strategies.integers(1, _most(contract, operation))
    entry = strategies.tuples(strategies.integers(0, MAX_WAIT_TENTHS), strategies.integers(0, CALLERS - 1), calls).map(
        list
    )
    return strategies.fixed_dictionaries({"schedule": strategies.lists(entry, min_size=1, max_size=MAX_STEPS)})


def drawn(contract: Contract, operation: Operation, random: Random) -> dict[str, Any]:
    """One schedule, drawn with a random source; not by Hypothesis, as every process draws every operation's."""
    most = _most(contract, operation)
    entries = range(random.randint(1, MAX_STEPS))
    return {
        "schedule": [
            [random.randint(0, MAX_WAIT_TENTHS), random.randrange(CALLERS), random.randint(1, most)] for _ in entries
        ]
    }


def _most(contract: Contract, operation: Operation) -> int:
    """The most calls of one entry: some more than the smallest quota."""
    quota = min(limit.quota for limit in limits(contract, operation))
    return min(WAVE, quota + quota // 4 + 3)


def edge(limit: Limit) -> dict[str, Any]:
    """A schedule that puts a quota late in one window and a few calls at every place where the next may begin.

    A limiter that slides admits one of them; one with windows admits all, wherever its windows begin.
    """
    half = TENTHS // 2
    after = [[1, 0, min(5, limit.quota)] for _ in range(TENTHS + 1)]
    return {"schedule": [[0, 0, 1], [half, 0, limit.quota + 2], *after]}


def case(operation: Operation, parameters: Mapping[str, Any]) -> Case:
    """The case of a schedule, named by it; its callers are fresh, so nothing else is disturbed."""
    run = partial(_steps, operation=operation, parameters=parameters)
    name = f"schedule-{zlib.crc32(json.dumps(parameters, sort_keys=True).encode()):08x}"
    return Case(KEY, operation.id, name, run, parameters)


def _steps(stage: Stage, operation: Operation, parameters: Mapping[str, Any]) -> Steps[None]:
    limit = min(limits(stage.contract, operation), key=lambda item: item.quota)
    if limit.window_s > MAX_WINDOW_S:
        raise CannotTell(f"{limit.name}: a window of {limit.window_s:g} s is longer than a schedule may last")
    callers: list[Caller] = [(yield from caller(stage, operation, limit))]
    for tenths, who, calls in parameters["schedule"]:
        if who >= len(callers):
            more = yield from other(stage, callers[0], limit)
            callers.append(more or callers[0])
        if tenths:
            yield Pause(limit.window_s * tenths / TENTHS)
        speaker = callers[who]
        yield from together(tuple(speaker.request("schedule") for _ in range(calls)))
