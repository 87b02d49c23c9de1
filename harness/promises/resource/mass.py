"""Mass assignment: members that the server sets, as its answer shows and the request's schema lacks, sent by a client.

A member counts as assigned only where two requests with two different values were both answered with the value sent.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import Steps, one
from harness.contract import pointer
from harness.contract.resource import singular
from harness.exchange import Outcome
from harness.finding import Finding, Severity
from harness.mask import is_secret_name
from harness.promises import precondition
from harness.promises import subject as subjects
from harness.promises.alike import unlike
from harness.promises.resource import steps as words
from harness.promises.resource.needs import needs
from harness.promises.resource.steps import step
from harness.promises.writing import alike, base, equal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract import Contract, Operation, Resource
    from harness.exchange import Exchange, Request
    from harness.identities import Identity
    from harness.stage import Stage

MOST = 6
LONGEST = 200
NUMBERS = (4211, 977)
MOMENTS = ("2001-02-03T04:05:06Z", "2002-03-04T05:06:07Z")
MONEY = re.compile(r"price|total|amount|cost|balance|credit|discount|paid", re.IGNORECASE)
RIGHTS = re.compile(r"role|admin|permission|scope|verified|status|state|active|enabled", re.IGNORECASE)
SEVERITIES = (Severity.CRITICAL, Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.MEDIUM)


def on_create(operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    """An ordinary create as the control, one with all such members at once, and one with each where that is refused."""
    maker = yield from things.identity_for(stage, operation)
    members = yield from needs(stage, operation)
    thing = yield from things.make(stage, resource, maker=maker, members=members, step=step(words.CONTROL))
    members.update(things.references(stage.contract, thing.sent))
    subject = subjects.of_thing(stage.contract, thing)
    shown = subjects.shown(thing.exchange)
    if pointer.get(shown, resource.id) is pointer.MISSING:
        shown = subjects.shown((yield from subjects.read(stage, subject, step(words.CONTROL))))
    places = settable(stage.contract, operation, resource, shown, thing.sent)

    def request(values: Mapping[str, Any], text: str) -> Steps[Request]:
        drawn = yield from things.valid(stage, operation, identity=maker, members=members)
        return _with_members(drawn, values, text)

    first = yield from values_for(stage, operation, resource, shown, places, 0)
    if not first:
        return
    made = yield from one((yield from request(first, step(words.TOGETHER))))
    if made.outcome is Outcome.OK:
        first = {place: value for place, value in first.items() if assigned(resource, shown, made, place, value)}
    for place, value in first.items():
        made = yield from one((yield from request({place: value}, step(words.TRIAL, 0, place))))
        if assigned(resource, shown, made, place, value):
            second = yield from values_for(stage, operation, resource, shown, [place], 1)
            for other in second.values():
                yield from one((yield from request({place: other}, step(words.TRIAL, 1, place))))


def on_update(operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    """An update with each such member, and what the thing shows then; owner and id last, as they may lock it away."""
    subject = yield from subjects.made(stage, resource)
    writer: Identity = subject.owner
    if not subjects.may(stage.contract, operation, writer):
        writer = yield from things.identity_for(stage, operation)
    seen = yield from subjects.read(stage, subject, step(words.CONTROL))
    shown = subjects.shown(seen)
    path = subjects.path_of(stage.contract, operation, subject)
    forms = precondition.forms(stage.contract, operation, resource)
    plain = yield from things.valid(stage, operation, identity=writer, path=path)
    places = settable(stage.contract, operation, resource, shown, plain.json())
    for place in sorted(places, key=lambda at: _rank(resource, at) in {2, 3}):
        for number in range(2):
            values = yield from values_for(stage, operation, resource, shown, [place], number)
            if not values:
                break
            drawn = yield from things.valid(stage, operation, identity=writer, path=path)
            text = step(words.TRIAL, number, place)
            request = _with_members(precondition.current(drawn, forms, seen), values, text)
            changed = yield from one(request)
            if changed.outcome is not Outcome.OK:
                break
            seen = yield from subjects.read(stage, subject, step(words.TRIAL_SHOWN, number, place))
            if not assigned(resource, shown, seen, place, values[place]):
                break


def _with_members(request: Request, values: Mapping[str, Any], text: str) -> Request:
    body = request.json()
    for place, value in values.items():
        body = pointer.put(body, place, value)
    return replace(precondition.with_body(request, body), step=text)


def settable(contract: Contract, operation: Operation, resource: Resource, shown: Any, sent: Any) -> list[str]:
    """Where a request might set what the answer shows and its schema lacks, the most worth first."""
    declared = operation.json_body()
    thing = pointer.get(shown, base(resource))
    if declared is None or not isinstance(thing, dict) or not isinstance(sent, dict):
        return []
    found = []
    for place, value in _members(thing):
        names = pointer.tokens(place)
        parent = pointer.get(sent, place.rpartition("/")[0])
        small = isinstance(value, bool | int | float | list) or (isinstance(value, str) and len(value) <= LONGEST)
        if not small or not isinstance(parent, dict) or is_secret_name(names[-1]):
            continue
        lacking = _lacks(contract, declared.schema, names)
        if lacking == "read-only" or (lacking and resource.declared):
            found.append(place)
    return sorted(found, key=lambda at: _rank(resource, at))[:MOST]


def _members(value: Any, at: str = "") -> list[tuple[str, Any]]:
    """Every scalar and every list of texts of an object; of a list of objects the first member stands for all."""
    found: list[tuple[str, Any]] = []
    for name, member in value.items():
        place = f"{at}/{pointer.escape(name)}"
        if isinstance(member, dict):
            found += _members(member, place)
        elif isinstance(member, list) and member and isinstance(member[0], dict):
            found += _members(member[0], f"{place}/0")
        elif not isinstance(member, list) or (member and all(isinstance(item, str) for item in member)):
            found.append((place, member))
    return found


def _lacks(contract: Contract, schema: Any, names: Sequence[str]) -> str:
    """`absent` or `read-only` where a request's schema does not let a client set a member; empty where it does."""
    found = contract.schema(schema)
    for name in names:
        if name.isdigit() and "items" in found:
            found = contract.schema(found["items"])
            continue
        parts = [found, *(contract.schema(part) for key in ("allOf", "anyOf", "oneOf") for part in found.get(key, ()))]
        properties = {key: value for part in parts for key, value in part.get("properties", {}).items()}
        if not properties:
            return ""  # an object of any members declares all of them
        if name not in properties:
            return "absent"
        found = contract.schema(properties[name])
    return "read-only" if found.get("readOnly") is True else ""


def _rank(resource: Resource, place: str) -> int:
    """Money, rights, the owner as the contract declares it, id, and the rest: 0 to 4."""
    name = pointer.tokens(place)[-1]
    if MONEY.search(name):
        return 0
    if RIGHTS.search(name):
        return 1
    if f"{base(resource)}{place}" == resource.owner:
        return 2
    return 3 if f"{base(resource)}{place}" == resource.id else 4


def values_for(
    stage: Stage, operation: Operation, resource: Resource, shown: Any, places: Sequence[str], number: int
) -> Steps[dict[str, Any]]:
    """For each place a value of a client's own that the thing does not show; places without one are left out."""
    found = {}
    answer = operation.success()
    schema = answer.bodies[0].schema if answer and answer.bodies else {}
    for place in places:
        at = f"{base(resource)}{place}"
        current = pointer.get(shown, at)
        value = _foreign(stage, _schema(stage.contract, schema, pointer.tokens(at)), current, place, number)
        if _rank(resource, place) == 2 and isinstance(current, str) and stage.actors.can_register:  # noqa: PLR2004 - owner
            value = (yield from stage.actors.with_role(stage)).id or value
        if value is not None and (number or value != current):
            found[place] = value
    return found


def _foreign(stage: Stage, schema: Mapping[str, Any], current: Any, place: str, number: int) -> Any:
    if isinstance(current, bool):
        return current if number else not current
    if isinstance(current, int | float):
        return max(schema.get("minimum", 0), min(schema.get("maximum", NUMBERS[number]), NUMBERS[number]))
    named = stage.actors.roles if singular(pointer.tokens(place)[-1].lower()) == "role" else ()
    if isinstance(current, list):
        choices = stage.contract.schema(schema.get("items", {})).get("enum") or named
        others = [choice for choice in choices if choice not in current]
        return [others[number]] if number < len(others) else list(current) if others else None
    if choices := schema.get("enum") or named:
        others = [choice for choice in choices if choice != current]
        return current if number else next(iter(others), None)
    if _moment(current) is not None:
        return MOMENTS[number]
    return unlike(current, stage.random) if re.fullmatch(r"[0-9a-fA-F-]{8,}|\d+", current) else stage.unique("own-")


def _schema(contract: Contract, schema: Any, names: Sequence[str]) -> Mapping[str, Any]:
    found = contract.schema(schema)
    for name in names:
        parts = [found, *(contract.schema(part) for part in found.get("allOf", ()))]
        holder = next((part for part in parts if name in part.get("properties", {})), {})
        found = contract.schema(found.get("items") if name.isdigit() else holder.get("properties", {}).get(name))
    return found


def _moment(text: Any) -> datetime | None:
    if not isinstance(text, str) or not re.match(r"\d{4}-\d\d-\d\dT", text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def assigned(resource: Resource, control: Any, exchange: Exchange | None, place: str, value: Any) -> bool:
    """Whether an answer shows the client's value where an ordinary thing shows another."""
    shown = pointer.get(subjects.shown(exchange), f"{base(resource)}{place}")
    ordinary = pointer.get(control, f"{base(resource)}{place}")
    if isinstance(value, list):
        return _has_all(shown, value) and not _has_all(ordinary, value)
    return _says(shown, value) and (isinstance(value, bool) or not _says(ordinary, value))


def _has_all(shown: Any, value: Sequence[Any]) -> bool:
    """Whether it is a list with all of these; its items may be of any kind."""
    return isinstance(shown, list) and all(item in shown for item in value)


def _says(shown: Any, value: Any) -> bool:
    moment = _moment(value)
    return (moment is not None and moment == _moment(shown)) or (alike(shown, value) and equal(shown, value))


def judged(resource: Resource, operation: Operation, exchanges: Sequence[Exchange]) -> tuple[int, list[Finding]]:
    """How many members were tried, and those that a client can set."""
    control = next((subjects.shown(e) for e in reversed(words.each(exchanges, words.CONTROL))), None)
    if control is None:
        return 0, []
    examined = sum(e.outcome is not Outcome.UNKNOWN for e in words.each(exchanges, words.TOGETHER))
    hits: dict[str, list[Exchange]] = {}
    for tried in words.each(exchanges, words.TRIAL):
        _, number, place = words.parts(tried)
        examined += tried.outcome is not Outcome.UNKNOWN
        value = pointer.get(tried.request.json(), place)
        read = next((e for e in exchanges if e.request.step == step(words.TRIAL_SHOWN, number, place)), tried)
        if (
            tried.outcome is Outcome.OK
            and value is not pointer.MISSING
            and _counts(resource, control, read, place, value)
        ):
            hits.setdefault(place, []).append(tried)
    return examined, [_finding(resource, operation, place, hit) for place, hit in hits.items() if len(hit) > 1]


def _counts(resource: Resource, control: Any, read: Exchange, place: str, value: Any) -> bool:
    """A second value may be the ordinary one where there are only two: then it must be all that is shown."""
    shown = pointer.get(subjects.shown(read), f"{base(resource)}{place}")
    if assigned(resource, control, read, place, value):
        return True
    if isinstance(value, list):
        return _has_all(shown, value) and _has_all(value, shown)
    return _says(shown, value)


def _finding(resource: Resource, operation: Operation, place: str, tried: Sequence[Exchange]) -> Finding:
    general = re.sub(r"/\d+(?=/|$)", "/*", place)
    values = " and ".join(repr(pointer.get(exchange.request.json(), place)) for exchange in tried)
    return Finding(
        "resource.mass-assignment",
        f"{operation.id} lets the client set {general}",
        SEVERITIES[_rank(resource, place)],
        operation.id,
        kind=general,
        promised=f"{general} is the server's to set: the schema of {operation.id}'s body lacks it.",
        seen=f"Sent as {values}, it was taken over each time.",
        witnesses=tuple(exchange.id for exchange in tried),
    )
