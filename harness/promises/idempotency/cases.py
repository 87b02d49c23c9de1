"""The cases of `idempotency`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import Case, Pause, one, together
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.identities import ANONYMOUS
from harness.promises.alike import unlike
from harness.promises.altered import with_member
from harness.promises.attempt import each
from harness.promises.idempotency import ground
from harness.promises.idempotency import steps as words
from harness.promises.idempotency.annotation import CALLER, EVERYONE, KEY, Told, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Request
    from harness.identities import Identity
    from harness.promises.idempotency.ground import Body
    from harness.stage import Stage

CALLS = 6
ROUNDS = 3
CUTS_S = (0.0005, 0.0015, 0.004)
TRIES = 4
DRAWS = 4
BETWEEN_S = 0.3
Spoil = Callable[["Stage", "Body"], "Request | None"]


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """One case for each thing that may befall a call with a key."""
    declared = told(contract, operation)
    if declared is None:
        return ()
    return tuple(Case(KEY, operation.id, name, partial(steps, operation, declared)) for name, steps in _parts(declared))


def _parts(declared: Told) -> Iterator[tuple[str, Callable[..., Steps[None]]]]:
    yield "at-once", _at_once
    yield "after-a-cut", _after_a_cut
    if declared.other_body:
        yield "other-body", _other_body
        yield "bodies-at-once", _bodies_at_once
    if declared.scope == CALLER:
        yield "other-caller", _other_caller
    if declared.scope != EVERYONE:
        yield "other-tenant", _other_tenant
    yield "after-a-refusal", _after_a_refusal
    if declared.missing:
        yield "missing", _missing
    if declared.max_length:
        yield "length", _length


def _calls(contract: Contract, operation: Operation) -> int:
    """As many calls at once as leave half of the smallest quota untouched; at least two."""
    quotas: list[int] = [limit["quota"] for limit in contract.promise("rate-limit", operation) or ()]
    return max(2, min([CALLS, *(quota // 2 for quota in quotas)]))


def _at_once(operation: Operation, declared: Told, stage: Stage) -> Steps[None]:
    """Rounds of one call sent several times at one instant, and once more when all have ended."""
    yield from each(_round(stage, operation, declared, number) for number in range(ROUNDS))


def _round(stage: Stage, operation: Operation, declared: Told, number: int) -> Steps[None]:
    caller = yield from things.identity_for(stage, operation)
    body = yield from ground.body(stage, operation, caller, f"a{number}")
    key = stage.unique("key")
    yield from ground.stock(stage, body, words.HAD)
    count = _calls(stage.contract, operation)
    answers = yield from together((body.with_key(declared, words.TOGETHER, key),) * count)
    again = yield from one(body.with_key(declared, words.AGAIN, key))
    if not any(exchange.outcome is Outcome.OK for exchange in (*answers, again)):
        raise CannotTell(f"{operation.id} answered {again.status or again.error} to a call with a new key")
    yield from ground.counted(stage, declared, body)


def _after_a_cut(operation: Operation, declared: Told, stage: Stage) -> Steps[None]:
    """The client leaves just after its last byte and sends the call anew, as it does not know what came of it."""
    yield from each(_cut(stage, operation, declared, f"a{at}", cut_s) for at, cut_s in enumerate(CUTS_S))


def _cut(stage: Stage, operation: Operation, declared: Told, name: str, cut_s: float) -> Steps[None]:
    caller = yield from things.identity_for(stage, operation)
    body = yield from ground.body(stage, operation, caller, name)
    key = stage.unique("key")
    yield from ground.stock(stage, body, words.HAD)
    yield from one(replace(body.with_key(declared, words.CUT, key), timeout_s=cut_s))
    for _ in range(TRIES):
        again = yield from one(body.with_key(declared, words.AFTER_CUT, key))
        if again.outcome is Outcome.OK:
            break
        yield Pause(BETWEEN_S)
    else:
        raise CannotTell(f"{operation.id} answered {again.status or again.error} to a call whose first was cut")
    yield from ground.read(stage, declared, body, again)
    yield Pause(BETWEEN_S)
    yield from ground.counted(stage, declared, body)


def _other_body(operation: Operation, declared: Told, stage: Stage) -> Steps[None]:
    """A key that has done its work comes with another body: with one of another thing, and with one member changed."""
    caller = yield from things.identity_for(stage, operation)
    body = yield from ground.body(stage, operation, caller, "a")
    key = stage.unique("key")
    yield from ground.first(declared, body, key)
    other = yield from ground.body(stage, operation, caller, "b", like=body)
    yield from one(other.with_key(declared, words.OTHER_BODY, key, name=body.name))
    near = _near(stage, operation, body)
    if near is not None:
        yield from one(replace(near, name="c").with_key(declared, words.OTHER_BODY, key, name=body.name))
    yield from one(body.with_key(declared, words.AGAIN, key))
    yield from ground.counted(stage, declared, body)
    if other.marks:
        yield from ground.counted(stage, declared, other)


def _near(stage: Stage, operation: Operation, body: Body) -> Body | None:
    """The body with one member changed that is not one of its marks; None where there is no such member."""
    declared = operation.json_body()
    if declared is None:
        return None
    for _ in range(DRAWS):
        drawn = stage.examples.value(declared.schema, everything=True)
        for place, value in pointer.leaves(body.request.json()):
            new = pointer.get(drawn, place)
            if place not in body.marks and not _refers(stage, place) and _differs(new, value):
                return replace(body, request=with_member(body.request, place, new))
    return None


def _refers(stage: Stage, place: str) -> bool:
    """Whether a member refers to a thing, as its name tells."""
    names = [token for token in pointer.tokens(place) if not token.isdigit()]
    return bool(names) and things.referred(stage.contract, names[-1]) is not None


def _differs(new: Any, old: Any) -> bool:
    return isinstance(new, str | int | float) and new != old


def _bodies_at_once(operation: Operation, declared: Told, stage: Stage) -> Steps[None]:
    """One key with two bodies at one instant: one of them may have its effect."""
    yield from each(_two_bodies(stage, operation, declared, number) for number in range(ROUNDS))


def _two_bodies(stage: Stage, operation: Operation, declared: Told, number: int) -> Steps[None]:
    count = max(1, _calls(stage.contract, operation) // 2)
    caller = yield from things.identity_for(stage, operation)
    body = yield from ground.body(stage, operation, caller, f"a{number}")
    other = yield from ground.body(stage, operation, caller, f"b{number}", like=body)
    key, name = stage.unique("key"), f"k{number}"
    calls = [item.with_key(declared, words.TOGETHER, key, name=name) for item in (body, other) for _ in range(count)]
    answers = yield from together(tuple(calls))
    if all(exchange.outcome is not Outcome.OK for exchange in answers):
        raise CannotTell(f"{operation.id} answered {answers[0].status} to calls with a new key and two bodies")
    for item in (body, other):
        yield from ground.counted(stage, declared, item)


def _other_caller(operation: Operation, declared: Told, stage: Stage) -> Steps[None]:
    """Another caller uses the same text for a key of its own, with the same body; nothing where all are nobody."""
    caller = yield from things.identity_for(stage, operation)
    if caller.name == ANONYMOUS.name:
        return
    body = yield from ground.body(stage, operation, caller, "a")
    other = yield from _another(stage, operation, caller)
    key = stage.unique("key")
    yield from ground.first(declared, body, key)
    theirs = replace(body, request=replace(body.request, identity=other))
    yield from one(theirs.with_key(declared, words.OTHER_CALLER, key, caller="two"))
    control = theirs.with_key(declared, words.CONTROL, stage.unique("key"), caller="two", name="control")
    yield from one(control)


def _another(stage: Stage, operation: Operation, caller: Identity) -> Steps[Identity]:
    other = yield from things.identity_for(stage, operation)
    if other.name == caller.name:
        other = yield from stage.actors.known(stage, *caller.roles[:1], other_than=(caller,))
    return other


def _other_tenant(operation: Operation, declared: Told, stage: Stage) -> Steps[None]:
    """A caller of another tenant uses the same text, with a body of that tenant; nothing where there is but one."""
    others = [name for name in stage.actors.tenants if name != stage.tenant]
    if not others:
        return
    caller = yield from things.identity_for(stage, operation)
    body = yield from ground.body(stage, operation, caller, "a")
    key = stage.unique("key")
    yield from ground.first(declared, body, key)
    there = stage.elsewhere(stage.random.choice(others))
    stranger = yield from things.identity_for(there, operation)
    theirs = yield from ground.body(there, operation, stranger, "b")
    yield from one(theirs.with_key(declared, words.OTHER_CALLER, key, caller="abroad"))
    yield from one(theirs.with_key(declared, words.CONTROL, there.unique("key"), caller="abroad", name="control"))


def _after_a_refusal(operation: Operation, declared: Told, stage: Stage) -> Steps[None]:
    """A call is refused for its body, and comes again with the same key and a body that will do."""
    yield from each(_refused(stage, operation, declared, f"a{at}", spoil) for at, spoil in enumerate((_absent, _unfit)))


def _refused(stage: Stage, operation: Operation, declared: Told, name: str, spoil: Spoil) -> Steps[None]:
    caller = yield from things.identity_for(stage, operation)
    body = yield from ground.body(stage, operation, caller, name)
    spoilt = spoil(stage, body)
    if spoilt is None:
        return
    key = stage.unique("key")
    bad = replace(body, request=spoilt, name=f"bad {name}", marks=())
    refused = yield from one(bad.with_key(declared, words.REFUSED, key, name=name))
    if refused.outcome is Outcome.REFUSED:
        yield from one(body.with_key(declared, words.AFTER_REFUSAL, key))
        yield from one(body.with_key(declared, words.CONTROL, stage.unique("key"), name=f"control {name}"))


def _absent(stage: Stage, body: Body) -> Request | None:
    """The call with a reference to a thing that is not there, which only the work itself can see."""
    for place, value in pointer.leaves(body.request.json()):
        if _refers(stage, place) and isinstance(value, str | int):
            absent = unlike(str(value), stage.random)
            return with_member(body.request, place, int(absent) if isinstance(value, int) else absent)
    return None


def _unfit(_stage: Stage, body: Body) -> Request | None:
    """The call with a value of a wrong type, which is seen before any work."""
    value: Any = body.request.json()
    if not isinstance(value, dict) or not value:
        return None
    name = next(iter(value))
    return with_member(body.request, f"/{pointer.escape(name)}", [None] if isinstance(value[name], dict) else {})


def _missing(operation: Operation, declared: Told, stage: Stage) -> Steps[None]:
    """A call that is right in everything but brings no key."""
    caller = yield from things.identity_for(stage, operation)
    body = yield from ground.body(stage, operation, caller, "a")
    yield from one(body.without_key(declared, words.MISSING))
    yield from ground.counted(stage, declared, body)


def _length(operation: Operation, declared: Told, stage: Stage) -> Steps[None]:
    """Two keys of the greatest length that differ in their last character are two keys; a longer one is refused."""
    caller = yield from things.identity_for(stage, operation)
    head = stage.unique("key")[: declared.max_length - 1]
    stem = head + "x" * (declared.max_length - 1 - len(head))
    body = yield from ground.body(stage, operation, caller, "a")
    yield from ground.first(declared, body, f"{stem}1")
    other = yield from ground.body(stage, operation, caller, "b", like=body)
    yield from one(other.with_key(declared, words.OTHER_CALLER, f"{stem}2", caller="long"))
    yield from one(other.with_key(declared, words.CONTROL, stage.unique("key"), caller="long", name="control"))
    if declared.too_long:
        third = yield from ground.body(stage, operation, caller, "c", like=body)
        yield from one(third.with_key(declared, words.TOO_LONG, f"{stem}12"))
        yield from ground.counted(stage, declared, third)
