"""A search after an update of one member alone: what is kept for searching is written anew with every change.

A thing is planted with a text in each member that both its create and its update may set. Each is changed in turn, and
the search asked for the new text and for the old one, neither of which anyone asked for before: no answer is kept.
Only what the list itself shows changed is judged by what the search finds.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from harness.case import SETTLE_S, Pause, one
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import acting, precondition, writing
from harness.promises import subject as subjects
from harness.promises.attempt import each
from harness.promises.filter.model import holds
from harness.promises.filter.narrowing import markable, narrowing
from harness.promises.filter.rules import Rule, rules, sent_at, settable, written
from harness.promises.paging import names_of, paging
from harness.promises.planting import bed, source
from harness.promises.walking import labelled, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.promises.planting import Bed
    from harness.promises.walking import Walk, Way
    from harness.stage import Stage

CHANGED, LOOK, OLD, NOW, LATER = "changed", "look", "old", "now", "-later"
MOST_MEMBERS = 4


def places(contract: Contract, operation: Operation, rule: Rule) -> dict[str, str]:
    """Members, four at most, that a search looks at and that a create and an update may set to words; their places."""
    found = source(contract, operation)
    update = contract.by_id.get(found.resource.update) if found is not None else None
    if rule.operator != "contains" or update is None:
        return {}
    told = {member: sent_at(contract, operation, member) for member in rule.members}
    fitting = {
        member: place
        for member, place in told.items()
        if markable(settable(contract, operation, place)) and markable(written(contract, update, place))
    }
    return dict(islice(fitting.items(), MOST_MEMBERS))


def name_of(rule: Rule) -> str:
    """The name of the case of a rule."""
    return f"{CHANGED}-{rule.parameter}"


def changes(operation: Operation, rule: Rule, stage: Stage) -> Steps[None]:
    """Each member changed alone, then looked at in the list, searched for by what it says now and by what it said."""
    contract = stage.contract
    known = places(contract, operation, rule)
    other = narrowing(contract, operation, stage.unique("n"), without=rule)
    other = None if other is not None and other.rule.sent in known.values() else other
    said = {place: f"{stage.unique('was')} one" for place in known.values()}
    found = bed(stage, operation)
    yield from found.plant({**(other.row(0) if other else {}), **said})
    wide = yield from found.way(operation, paging(contract, operation))
    looked = wide.narrowed(other.query(found.planted[0])) if other else wide
    yield from each([_change(stage, found, rule, looked, number, said) for number in range(len(known))])


def _change(stage: Stage, found: Bed, rule: Rule, looked: Way, number: int, said: Mapping[str, str]) -> Steps[None]:
    """One member; a search that is not as it should be is asked once more a little later, as an index may follow."""
    member, place = list(places(stage.contract, looked.operation, rule).items())[number]
    subject, now = found.planted[0], f"{stage.unique('is')} two"
    yield from _written(stage, found, place, now)
    prefix = f"{rules(stage.contract, looked.operation).index(rule)}~{number}"
    seen = yield from _walk(stage, looked, f"{prefix}~{LOOK}", subject.id)
    if not any(pointer.get(item, member) == now for item in _of(seen, subject.id)):
        raise CannotTell(f"{looked.operation.id} does not show a fresh thing with the {member} that it was given")
    for word, text, shows in ((NOW, now, True), (OLD, said[place], False)):
        asked = looked.narrowed((rule.parameter, text))
        walked = yield from _walk(stage, asked, f"{prefix}~{word}")
        if (subject.id in walked.names) != shows:
            yield Pause(SETTLE_S)
            yield from _walk(stage, asked, f"{prefix}~{word}{LATER}")


def _written(stage: Stage, found: Bed, place: str, value: str) -> Steps[None]:
    """The one member changed, against the version that the thing has now; raises CannotTell where it is refused.

    Where an update asks for more, it is given what the thing was made with.
    """
    subject = found.planted[0]
    update = stage.contract.by_id[found.source.resource.update]
    before = yield from subjects.read(stage, subject)
    identity = yield from acting.actor(stage, update, subject)
    request = yield from acting.call(stage, update, subject, before, CHANGED, identity)
    told = precondition.forms(stage.contract, update, subject.resource)
    versions = {form["name"] for form in told if form["in"] == "body"}
    drawn = request.json() or {}
    own = {name: drawn[name] for name in drawn if name in versions}
    kept = {name: subject.sent.get(name, drawn[name]) for name in drawn} if isinstance(subject.sent, dict) else drawn
    body = {**(kept if writing.needs_all(stage.contract, update) else {}), **own}
    body = pointer.put({**body, pointer.tokens(place)[0]: body.get(pointer.tokens(place)[0])}, place, value)
    done = yield from one(precondition.with_body(request, body))
    if done.outcome is not Outcome.OK:
        raise CannotTell(f"{update.id} answered {done.status or done.error} to a change of {place} alone")


def _walk(stage: Stage, way: Way, name: str, until: str = "") -> Steps[Walk]:
    size = way.paging.largest
    label = labelled(f"{CHANGED}~{name}")
    return (yield from walk(stage, way, label=label, size=size, until=lambda walked: until in walked.names))


def _of(seen: Walk, name: str) -> list[object]:
    """The thing as a list showed it, if it did."""
    return [item for item in seen.items if name in names_of([item], seen.place)]


def judged(known: Mapping[str, Walk], declared: Sequence[Rule]) -> Iterator[tuple[Rule, Walk, Mapping[str, object]]]:
    """The last search for each text, its rule, and what it must find: what the look showed with that text."""
    for name, seen in known.items():
        parts = name.split("~")
        if parts[0] != CHANGED or parts[-1] != LOOK:
            continue
        rule = declared[int(parts[1])]
        for word in (NOW, OLD):
            search = "~".join((*parts[:-1], word))
            walked = known.get(f"{search}{LATER}") or known.get(search)
            if walked is not None and rule.parameter in walked.told:
                yield rule, walked, _wanted(seen, rule, walked.told[rule.parameter])


def _wanted(seen: Walk, rule: Rule, text: str) -> dict[str, object]:
    forms = {next(iter(names_of([item], seen.place)), ""): item for item in seen.items}
    return {thing: item for thing, item in forms.items() if thing and holds(rule, text, item)}
