"""Whether an item fulfils a filter: yes, no, or not to be told from what is promised and shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.promises import values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.promises.filter.rules import Rule


def fulfils(rules: Iterable[Rule], told: Mapping[str, str], item: Any) -> bool | None:
    """Whether an item fulfils every rule whose parameter is told; None where one cannot be told and none is broken."""
    verdicts = [holds(rule, told[rule.parameter], item) for rule in rules if rule.parameter in told]
    if False in verdicts:
        return False
    return None if None in verdicts else True


def holds(rule: Rule, text: str, item: Any, *, absent: bool | None = None) -> bool | None:
    """Whether one of the rule's members fits the text; one that the item does not show counts as `absent`: open."""
    verdicts: list[bool | None] = []
    for member in rule.members:
        value = pointer.get(item, member)
        if value is pointer.MISSING:
            verdicts.append(absent)
        elif isinstance(value, list):
            verdicts += [_fits(rule, text, part) for part in value] or [False]
        else:
            verdicts.append(_fits(rule, text, value))
    if True in verdicts:
        return True
    return None if None in verdicts else False


def _fits(rule: Rule, text: str, value: Any) -> bool | None:
    if rule.operator == "contains":
        return _contains(rule, text, value)
    if rule.operator == "in":
        verdicts = [_equals(rule, part, value) for part in text.split(rule.separator)]
        return True if True in verdicts else None if None in verdicts else False
    if rule.operator == "equals":
        return _equals(rule, text, value)
    held: Any = values.key(value)
    bound: Any = values.like(value, text)  # of the kind that `key` gives
    if held is None or bound is None or isinstance(held, str | bool):
        return None  # how texts are ordered is not told
    least, most = {"min": (0, 1), "above": (1, 1), "max": (-1, 0), "below": (-1, -1)}[rule.operator]
    order = (held > bound) - (held < bound)
    return bool(least <= order <= most)


def _equals(rule: Rule, text: str, value: Any) -> bool | None:
    """Empty text may well mean no filter at all; null equals no text."""
    if not text:
        return None
    held = values.key(value)
    if not isinstance(held, str):
        return held is not None and held == values.like(value, text)
    return held == text or _folded(rule, alike=held.casefold() == text.casefold())


def _contains(rule: Rule, text: str, value: Any) -> bool | None:
    if not isinstance(value, str):
        return None if value is not None and text else not text
    ways = [str.casefold, str.lower, str.upper]
    folded = [way(text) in way(value) for way in ways]
    if text in value:
        return True
    return _folded(rule, alike=any(folded), sure=all(folded))


def _folded(rule: Rule, *, alike: bool, sure: bool = True) -> bool | None:
    """What it means that two texts are alike but for letter case; where foldings disagree, nothing."""
    if not alike:
        return False
    return None if rule.fold is None or (not sure and rule.fold) else rule.fold
