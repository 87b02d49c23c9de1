"""The cases of `cache` about answers that are another's: of another tenant, another caller, another query."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.case import one
from harness.errors import CannotTell
from harness.promises import paging as pages
from harness.promises.cache import ground
from harness.promises.cache import steps as words
from harness.promises.cache.ground import Form
from harness.promises.cache.steps import LARGE, SMALL, step
from harness.promises.resource.steps import succeeded

if TYPE_CHECKING:
    from harness.case import Steps
    from harness.contract import Operation
    from harness.promises.cache.annotation import Told
    from harness.promises.cache.ground import Ground
    from harness.stage import Stage

ROUNDS = 3


def tenants(operation: Operation, declared: Told, stage: Stage) -> Steps[None]:
    """A thing in each of two tenants, and the same query in both in turn; nothing where there is but one."""
    others = [name for name in stage.actors.tenants if name != stage.tenant]
    if not others:
        return
    here = yield from ground.prepared(stage, operation, declared)
    abroad = stage.elsewhere(stage.random.choice(others))
    there = yield from ground.prepared(abroad, operation, declared)
    yield from _in_turn(here, there)


def callers(operation: Operation, declared: Told, stage: Stage) -> Steps[None]:
    """A thing of each of two callers, and the same query by both in turn."""
    here = yield from ground.prepared(stage, operation, declared)
    there = yield from ground.prepared(stage, operation, declared)
    if here.forms[0].reader.name == there.forms[0].reader.name:
        raise CannotTell(f"no second caller of {operation.id} can be had")
    yield from _in_turn(here, there)


def _in_turn(here: Ground, there: Ground) -> Steps[None]:
    """Reads of both, one after the other; a query of an unusual size is one that nobody else has asked."""
    contract, operation = here.stage.contract, here.operation
    queries: list[tuple[tuple[str, str], ...]] = [()]
    paging = pages.paging(contract, operation)
    if here.is_list and paging.size and paging.largest > SMALL:
        queries.append(((paging.size, str(here.stage.random.randint(paging.largest // 2 + 1, paging.largest))),))
    for ready, name in ((here, words.HERE), (there, words.THERE)):
        yield from ready.thing(step(words.PLANTED, name, ready.subject.id))
    for query in queries:
        for _ in range(ROUNDS):
            for ready, name in ((here, words.HERE), (there, words.THERE)):
                form = Form("apart", query, ready.forms[0].reader)
                # Where one thing is asked for by its id, both ask for the first's.
                asking = ready if ready.is_list else replace(ready, path=here.path)
                yield from one((yield from asking.request(form, step(words.APART, name))))


def sizes(operation: Operation, declared: Told, stage: Stage) -> Steps[None]:
    """Two things and two sizes of a page, each asked for before the other, right after a change of the list."""
    paging = pages.paging(stage.contract, operation)
    if not paging.size:
        return
    ready = yield from ground.prepared(stage, operation, declared)
    reader = ready.forms[0].reader
    for order in ((SMALL, LARGE), (LARGE, SMALL)):
        made = yield from one((yield from ground.another(ready)))
        if not succeeded(made):
            raise CannotTell(f"{made.operation} answered {made.status or made.error} to a second thing")
        for size in order:
            form = Form("sizes", ((paging.size, str(size)),), reader)
            text = step(words.SIZED, "".join(map(str, order)), size)
            yield from one((yield from ready.request(form, text)))
