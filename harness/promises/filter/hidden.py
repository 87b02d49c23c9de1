"""Asks, as callers that are shown less than the maker, for what they are not shown: a hit would tell it them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from harness import things
from harness.contract import pointer
from harness.errors import CannotTell
from harness.identities import ANONYMOUS
from harness.promises import subject as subjects
from harness.promises import values
from harness.promises.paging import names_of
from harness.promises.walking import labelled, walk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from harness.case import Steps
    from harness.contract import Operation
    from harness.identities import Identity
    from harness.promises.filter.rules import Rule
    from harness.promises.walking import Walk, Way
    from harness.stage import Stage

HIDDEN, LOOK = "hidden", "look"
MOST_TEXTS = 3
SHORTEST = 3


def searches(stage: Stage, rule: Rule, look: Way, way: Way, forms: Mapping[str, Any]) -> Steps[None]:
    """Each caller of another role that may list: what it is shown of the planted, then a search for the rest.

    `look` shows what was planted, and `way` is what a text is asked of; `forms` are the things as the list shows them
    to the maker. Raises CannotTell where nobody else can be had, or nobody is shown less.
    """
    tried, reasons, asked = {way.identity.name}, list[str](), 0
    for role in (ANONYMOUS.name, *(stage.actors.roles or ("",))):
        try:
            identity = yield from _caller(stage, role)
        except CannotTell as reason:
            reasons.append(str(reason))
            continue
        if identity.name in tried or not subjects.may(stage.contract, way.operation, identity):
            continue
        tried.add(identity.name)
        name = f"{HIDDEN}.{rule.parameter}.{len(tried)}"
        eyes, size = replace(look, identity=identity), way.paging.largest
        found = partial(_all_of, frozenset(forms))
        seen = yield from walk(stage, eyes, label=labelled(f"{name}-{LOOK}"), size=size, until=found)
        fitting = (text for text in unseen(rule, forms, seen) if _allowed(stage, way.operation, rule, text))
        for number, text in enumerate(islice(fitting, MOST_TEXTS)):
            asked += 1
            asking = replace(way, identity=identity).narrowed((rule.parameter, text))
            yield from walk(stage, asking, label=labelled(f"{name}-{number}"), size=size, most=1)
    if not asked:
        why = "; ".join(dict.fromkeys(reasons)) or "nobody else who may call it is shown less than the maker"
        raise CannotTell(f"{way.operation.id}: whether {rule.parameter} looks at what its caller is not shown: {why}")


def _all_of(names: Collection[str], walked: Walk) -> bool:
    return set(names) <= set(walked.names)


def _allowed(stage: Stage, operation: Operation, rule: Rule, text: str) -> bool:
    """Whether the contract lets the parameter have the text."""
    places = [item.pointer for item in operation.parameters if (item.place, item.name) == ("query", rule.parameter)]
    validators = [stage.contract.validator(place) for place in places]
    return all(validator is None or validator.is_valid(text) for validator in validators)


def _caller(stage: Stage, role: str) -> Steps[Identity]:
    if role == ANONYMOUS.name:
        return stage.anonymous()
    return (yield from things.in_role(stage, role))


def unseen(rule: Rule, forms: Mapping[str, Any], seen: Walk) -> list[str]:
    """Texts of one planted thing that its maker is shown and the walker is not, those of the rule's members first."""
    for item in seen.items:
        whole = forms.get(next(iter(names_of([item], seen.place)), ""))
        shown = {text.casefold() for text in _texts(item)}
        members = [text for member in rule.members for text in _texts(pointer.get(whole, member))]
        others = _texts(whole) if rule.operator == "contains" else ()
        texts = [
            text for text in dict.fromkeys((*members, *others)) if not any(text.casefold() in one for one in shown)
        ]
        if texts:
            return texts
    return []


def _texts(value: Any) -> Iterator[str]:
    for _, leaf in pointer.leaves(value):
        text = values.shown(leaf) if isinstance(leaf, str | int | float) else ""
        if len(text) >= SHORTEST:
            yield text
