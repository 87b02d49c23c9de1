"""What an answer about many items must tell of them, as lines of Python (see assertion.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.render.alone import SHORTEST, UNIQUE_NAMES
from harness.render.asked import sent, status
from harness.render.rule import LACKING, Unstated
from harness.render.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.render.asked import Asked

COUNTS = ("done", "failed", "skipped")
LISTS = "it is told by ids and indices of several lists, which a line cannot compare"


def _told(asked: Asked) -> Mapping[str, Any]:
    told = asked.contract.promise("bulk", asked.operation)
    if not isinstance(told, dict):
        raise Unstated("the contract promises nothing of many items any more")
    return told


def _id(asked: Asked) -> str:
    """Where a thing has its id."""
    resource = asked.contract.resource(_told(asked).get("resource", ""))
    return resource.id if resource is not None else ""


def _call(asked: Asked) -> tuple[int, list[Any]]:
    """The step that sends many items, and those items."""
    number = asked.word("mixed", "plain")
    items = pointer.get(sent(asked.steps[number]), _told(asked)["items"])
    if not isinstance(items, list) or not items:
        raise Unstated(LACKING)
    return number, items


def _stated(items: list[Any], *lines: str) -> Stated:
    """The lines, with each text of the items made new that must be unique."""
    texts = [
        value
        for place, value in pointer.leaves(items)
        if (pointer.tokens(place) or [""])[-1].lower() in UNIQUE_NAMES and isinstance(value, str)
    ]
    fit = (text for text in texts if len(text) >= SHORTEST and "[masked" not in text)
    return Stated(lines, texts=tuple(dict.fromkeys(fit)))


def _accounted(asked: Asked) -> Stated:
    """Each item is told of once; a refusal of the whole is legitimate, and any other answer must fit."""
    number, items = _call(asked)
    told, kind = _told(asked), asked.finding.kind
    places = [told[name] for name in COUNTS if name in told]
    given = f"values(json.loads(answer.sent), {told['items'] + '/*'!r})"
    entries = f"values(answer.json(), {told.get('results', '') + '/*'!r})"
    if kind in {"twice", "neither"} and "index" in told:
        raise Unstated(LISTS)
    named = f"named(answer, {', '.join(map(repr, (_id(asked), *places)))})"
    thing, error = (f"next(values(entry, {told.get(name, '')!r}), None)" for name in ("thing", "error"))
    one = "in (0, 1)" if "skipped" in told else "== 1"
    indices = f"values(answer.json(), {told.get('results', '') + '/*' + told.get('index', '')!r})"
    counted = f"counted(answer, {', '.join(map(repr, places[:1] if kind == 'entries' else places))})"
    tests = {
        "sum": f"{counted} == {len(items)}",
        "twice": f"len({named}) == len(set({named}))",
        "neither": f"{{str(item) for item in {given}}} <= set({named})",
        "index": f"sorted({indices}) == {list(range(len(items)))}"
        if "index" in told
        else f"len(list({entries})) == {len(items)}",
        "entry": f"all(({thing} is not None) + bool({error}) {one} for entry in {entries})",
        "entries": f"{counted} == sum({thing} is not None for entry in {entries})",
    }
    test = f"answer.status >= 400 or {tests[kind]}"
    return _stated(items, f"clear(answers[{number}], [401, 403])", f"check(answers[{number}], lambda answer: {test})")


def _kept(asked: Asked) -> Stated:
    """What was told as made is read."""
    number, items = _call(asked)
    read = status(asked.word("read-later"), "not in (404, 410)")
    return _stated(items, f"done(answers[{number}])", read)


def _failed(asked: Asked) -> Stated:
    """The id that nothing has, the last that is sent, is told as failed."""
    number, items = _call(asked)
    told, last = _told(asked), len(items) - 1
    places = [told[name] for name in COUNTS[1:] if name in told]
    if places and "index" in told:
        raise Unstated(LISTS)
    if places:
        wanted = f"list(values(json.loads(answer.sent), {told['items'] + '/*'!r}))[-1]"
        test = f"known(answer, {wanted}, {', '.join(map(repr, (_id(asked), *places)))})"
    elif "index" in told:
        error = f"next(values(entry, {told['error']!r}), None)"
        of_it = f"next(values(entry, {told['index']!r}), None) == {last}"
        test = f"any({error} for entry in values(answer.json(), {told['results'] + '/*'!r}) if {of_it})"
    else:
        test = f"answer.at({told['results'] + f'/{last}' + told['error']!r})"
    line = f"check(answers[{number}], lambda answer: answer.status >= 400 or {test})"
    return _stated([], f"clear(answers[{number}], [401, 403])", line)


def _taken(asked: Asked) -> Stated:
    """One of the calls whose items are all as they should be is taken."""
    _, items = _call(asked)
    numbers = [at for at, step in enumerate(asked.steps) if str(step["step"]).split("|")[0] in {"plain", "last"}]
    test = " or ".join(f"answers[{number}].status in range(200, 300)" for number in numbers)
    return _stated(items, f"check(answers[{numbers[-1]}], lambda answer: {test})")


MADE: Mapping[str, Callable[[Asked], list[str] | Stated]] = {
    "bulk.counts": _accounted,
    "bulk.lost": _kept,
    "bulk.unknown": _failed,
    "bulk.refused": _taken,
}
