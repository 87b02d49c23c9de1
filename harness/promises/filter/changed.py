"""A search after an update of one member alone: what is kept for searching is written anew with every change.

A thing is planted with a text in each member that both its create and its update may set. Each is changed in turn, and
the search asked for the new text and for the old one, neither of which anyone asked for before: no answer is kept.
Only what the list itself shows changed is judged by what the search finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.case import one
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import acting, precondition, writing
from harness.promises import subject as subjects
from harness.promises.filter.model import holds
from harness.promises.filter.narrowing import markable, narrowing
from harness.promises.filter.rules import Rule, sent_at, written
from harness.promises.paging import names_of, paging
from harness.promises.planting import bed, source
from harness.promises.walking import labelled, walk

if TYPE_CHECKING:
    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.promises.planting import Bed
    from harness.promises.walking import Walk, Way
    from harness.stage import Stage

CHANGED, LOOK, OLD = "changed", "look", "old"
MOST_MEMBERS = 4


def places(contract: Contract, operation: Operation, rule: Rule) -> dict[str, str]:
    """Members that a search looks at and that a create and an update may set to words; each with its place in them."""
    found = source(contract, operation)
    update = contract.by_id.get(found.resource.update) if found is not None else None
    if rule.operator != "contains" or update is None:
        return {}
    return {
        member: place
        for member in rule.members[:MOST_MEMBERS]
        if (place := sent_at(contract, operation, member)) and markable(written(contract, update, place))
    }


def name_of(rule: Rule) -> str:
    """The name of the case of a rule."""
    return f"{CHANGED}-{rule.parameter}"


def changes(operation: Operation, rule: Rule, stage: Stage) -> Steps[None]:
    """Each member changed alone, then looked at in the list, searched for by what it says now and by what it said."""
    contract = stage.contract
    known = places(contract, operation, rule)
    other = narrowing(contract, operation, stage.unique("n"), without=rule)
    said = {place: f"{stage.unique('was')} one" for place in known.values()}
    found = bed(stage, operation)
    subject = yield from found.plant({**(other.row(0) if other else {}), **said})
    wide = yield from found.way(operation, paging(contract, operation))
    for number, (member, place) in enumerate(known.items()):
        label = f"{CHANGED}.{rule.parameter}.{number}"
        now = f"{stage.unique('is')} two"
        yield from _written(stage, found, place, now)
        looked = wide.narrowed(other.query(subject)) if other else wide
        seen = yield from _walk(stage, looked, f"{label}-{LOOK}", subject.id)
        if not any(pointer.get(item, member) == now for item in _of(seen, subject.id)):
            raise CannotTell(f"{operation.id} does not show a fresh thing with the {member} that it was given")
        yield from _walk(stage, looked.narrowed((rule.parameter, now)), label)
        yield from _walk(stage, looked.narrowed((rule.parameter, said[place])), f"{label}-{OLD}")


def _written(stage: Stage, found: Bed, place: str, value: str) -> Steps[Exchange]:
    """The one member changed, against the version that the thing has now; raises CannotTell where it is refused."""
    subject = found.planted[0]
    update = stage.contract.by_id[found.source.resource.update]
    before = yield from subjects.read(stage, subject)
    identity = yield from acting.actor(stage, update, subject)
    request = yield from acting.call(stage, update, subject, before, CHANGED, identity)
    told = precondition.forms(stage.contract, update, subject.resource)
    kept = {form["name"] for form in told if form["in"] == "body"}
    body = request.json() if writing.needs_all(stage.contract, update) else {}
    own = {name: member for name, member in (request.json() or {}).items() if name in kept}
    top = pointer.tokens(place)[0]
    body = pointer.put({**body, **own, top: body.get(top)}, place, value)
    done = yield from one(precondition.with_body(request, body))
    if done.outcome is not Outcome.OK:
        raise CannotTell(f"{update.id} answered {done.status or done.error} to a change of {place} alone")
    return done


def _walk(stage: Stage, way: Way, name: str, until: str = "") -> Steps[Walk]:
    size = way.paging.largest
    return (yield from walk(stage, way, label=labelled(name), size=size, until=lambda walked: until in walked.names))


def _of(seen: Walk, name: str) -> list[object]:
    """The thing as a list showed it, if it did."""
    return [item for item in seen.items if name in names_of([item], seen.place)]


def shown(known: dict[str, Walk], name: str, rule: Rule | None) -> dict[str, object]:
    """What the search of a walk must find: what the look before it showed with the text that is searched for."""
    seen = known.get(f"{name}-{LOOK}")
    if seen is None or rule is None or name not in known:
        return {}
    text = known[name].told.get(rule.parameter, "")
    forms = {next(iter(names_of([item], seen.place)), ""): item for item in seen.items}
    return {thing: item for thing, item in forms.items() if thing and text and holds(rule, text, item)}
