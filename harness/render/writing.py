"""What a write must leave as it is, or as it was sent, as lines of Python (see assertion.py)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.contract import pointer
from harness.render.asked import sent, status
from harness.render.listing import items
from harness.render.rule import LACKING, Unstated
from harness.render.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.render.asked import Asked

REFUSED = re.compile(r"^(\d+) writes were refused")
CHANGED = re.compile(r"^After the second (.+) had changed\.$")
KEPT = re.compile(r"^(.+) stayed as before\.$")


def _refused(asked: Asked) -> list[int]:
    return [number for number, step in enumerate(asked.steps) if str(step["step"]).startswith("refused")]


def _unchanged(asked: Asked) -> list[str]:
    """What was refused has changed nothing that lasts between two reads."""
    before, after, refused = asked.word("before"), asked.word("after"), _refused(asked)
    count = REFUSED.search(asked.finding.seen)
    if count is None or int(count[1]) != len(refused):
        raise Unstated("more writes were refused than its sequence holds, and any of them may have done it")
    again = next((number for number, step in enumerate(asked.steps) if step["step"] == "again"), after)
    return [
        f"done(answers[{before}])",
        *(f"declined(answers[{number}])" for number in refused),
        status(after, "not in (404, 410)"),
        f"check(answers[{after}], lambda answer: lasting(answers[{before}], answer, answers[{again}]))",
    ]


def _not_made(asked: Asked) -> Stated:
    """A mark in a create that is refused, a new one each time, is in no item of the list."""
    refused = _refused(asked)
    pages = [number for number, step in enumerate(asked.steps) if str(step["step"]).startswith("listed ")]
    resource = asked.contract.resource_of(asked.operation.id)
    if not refused or not pages or resource is None:
        raise Unstated(LACKING)
    mark = pointer.get(sent(asked.steps[refused[0]]), str(asked.steps[refused[0]]["step"]).split(" ")[1])
    if not isinstance(mark, str):
        raise Unstated("the value that was sent does not stand in its sequence")
    listing = asked.contract.by_id.get(asked.steps[pages[0]]["operation"])
    place = resource.items if listing is None else items(asked.contract, listing)
    test = f"fresh({mark!r}) not in json.dumps(listed(answer, {place!r}), ensure_ascii=False)"
    lines = [f"declined(answers[{refused[0]}])", f"check(answers[{pages[0]}], lambda answer: {test})"]
    return Stated(lines, texts=(mark,))


def _kept(asked: Asked) -> list[str]:
    """A number that is accepted is read as it was sent."""
    place = asked.finding.kind
    kept = next((n for n, step in enumerate(asked.steps) if str(step["step"]).startswith("kept ")), None)
    made = [n for n, step in enumerate(asked.steps[:kept]) if step["operation"] == asked.operation.id]
    value = pointer.get(sent(asked.steps[made[-1]]), place) if made else pointer.MISSING
    resource = asked.contract.resource_of(asked.operation.id)
    if kept is None or resource is None or not isinstance(value, int | float):
        raise Unstated("the value that was sent does not stand in its sequence")
    base = resource.id.rpartition("/")[0]
    shown = [f"*values(answer.json(), {at!r})" for at in dict.fromkeys((f"{base}{place}", place))]
    return [f"done(answers[{kept}])", f"check(answers[{kept}], lambda answer: {value!r} in ({', '.join(shown)},))"]


def _spelt(asked: Asked) -> Stated:
    """A text that is accepted is read as it was sent, a new one each time."""
    kept = next((n for n, step in enumerate(asked.steps) if str(step["step"]).startswith("kept-texts ")), None)
    made = [n for n, step in enumerate(asked.steps[:kept]) if step["operation"] == asked.operation.id]
    value = pointer.get(sent(asked.steps[made[-1]]), asked.finding.kind) if made else pointer.MISSING
    if kept is None or not isinstance(value, str):
        raise Unstated("the value that was sent does not stand in its sequence")
    test = f"fresh({value!r}) in json.dumps(answer.json(), ensure_ascii=False)"
    return Stated([f"done(answers[{kept}])", f"check(answers[{kept}], lambda answer: {test})"], texts=(value,))


def _twice(asked: Asked) -> list[str]:
    """The same PUT again is not refused, and changes nothing more."""
    first, second = asked.word("put"), asked.word("put-again")
    lines = [f"done(answers[{first}])"]
    if asked.finding.kind == "refused":
        return [*lines, f"clear(answers[{second}], [409, 412, 428])", status(second, "not in range(400, 500)")]
    changed = CHANGED.search(asked.finding.seen)
    if changed is None:
        raise Unstated("its finding does not say what changed")
    shown, again = asked.word("shown"), asked.word("shown-again")
    lines += [f"done(answers[{number}])" for number in (shown, again)]
    for place in changed[1].split(", "):
        test = f"answer.at({place!r}) == answers[{shown}].at({place!r})"
        lines.append(f"check(answers[{again}], lambda answer: {test})")
    return lines


def _replaces(asked: Asked) -> list[str]:
    """What a PUT leaves out is not there any more."""
    first, less, left = asked.word("put"), asked.word("put-less"), asked.word("shown-less")
    kept = KEPT.search(asked.finding.seen)
    if kept is None:
        raise Unstated("its finding does not say what stayed")
    lines = [f"done(answers[{number}])" for number in (first, less, left)]
    for name in kept[1].split(", "):
        place = f"/{pointer.escape(name)}"
        value = pointer.get(sent(asked.steps[first]), place)
        lines.append(f"check(answers[{left}], lambda answer: answer.at({place!r}) != {value!r})")
    return lines


MADE: Mapping[str, Callable[[Asked], list[str] | Stated]] = {
    "writes.refused-effect": _unchanged,
    "writes.refused-made": _not_made,
    "writes.number": _kept,
    "writes.text": _spelt,
    "writes.put-again": _twice,
    "writes.put-replaces": _replaces,
}
