"""The cases of `filter`: things that differ in what a parameter looks at, asked for by each value, and by two."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import Case
from harness.contract import pointer
from harness.errors import CannotTell
from harness.promises import values
from harness.promises.alike import unlike
from harness.promises.filter import changed
from harness.promises.filter.hidden import searches
from harness.promises.filter.narrowing import Narrowing, markable, narrowing
from harness.promises.filter.rules import KEY, Rule, rule_named, rules, settable
from harness.promises.paging import names_of, paging
from harness.promises.planting import bed, source
from harness.promises.walking import labelled, walk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.promises.planting import Bed, Row
    from harness.promises.walking import Walk, Way
    from harness.stage import Stage

BASE, WIDE = "base", "wide"
TOGETHER = "together"
MOST_VALUES = 4
MOST_PAIRS = 6
ROWS_TOGETHER = 4
NUMBERS = (9, 10, 100, 25)
# Each after a mark of the case: what a pattern, a quotation or a folding of letters would take for something else.
WORDS = ("plain", "50%x", "a_c", "abc", "o'n\"q", "b\\s", "MiXeD Éß日本")
ASKED = ("%", "_", "a_c", "'", '"', "\\", "日本")


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """One for each parameter, alone where no other narrows the list, one for each after a change, one for pairs."""
    known = rules(contract, operation)
    if source(contract, operation) is None:
        return ()
    found = [
        Case(KEY, operation.id, f"by-{rule.parameter}", partial(_by_rule, operation, rule.parameter),
             alone=_shared(contract, operation, rule))
        for rule in known
    ]  # fmt: skip
    found += [
        Case(KEY, operation.id, changed.name_of(rule), partial(changed.changes, operation, rule))
        for rule in known
        if changed.places(contract, operation, rule)
    ]
    if len(known) > 1:
        shared = narrowing(contract, operation, "") is None
        found.append(Case(KEY, operation.id, TOGETHER, partial(_pairs, operation), alone=shared))
    return found


def _shared(contract: Contract, operation: Operation, rule: Rule) -> bool:
    own = rule.maker or (rule.operator == "contains" and markable(settable(contract, operation, rule.sent)))
    return not own and narrowing(contract, operation, "", without=rule) is None


@dataclass(frozen=True, slots=True)
class _Ground:
    """What was planted, how its list is walked, narrowed where another parameter can, and each thing as it is shown.

    `look` is how it was looked at; `listed` are the forms that the list showed, `forms` those of creates as well.
    """

    bed: Bed
    wide: Way
    way: Way
    look: Way
    forms: Mapping[str, Any]
    listed: Mapping[str, Any]


def _by_rule(operation: Operation, parameter: str, stage: Stage) -> Steps[None]:
    """What lies in the list, then what it shows for each value; one value also asked of the whole list."""
    rule = rule_named(stage.contract, operation, parameter)
    mark = stage.unique("f")
    other = narrowing(stage.contract, operation, stage.unique("n"), without=rule)
    rows = contrasting(stage, operation, rule, mark)
    ground = yield from _ground(
        stage, operation, other, rows, base=(parameter, mark) if rule.operator == "contains" else None
    )
    texts = asked(rule, ground, mark, stage)
    if not texts:
        raise CannotTell(f"{operation.id}: nothing shows at {rule.members[0]} what {parameter} could ask for")
    size = ground.way.paging.largest
    for number, text in enumerate(texts):
        yield from walk(
            stage, ground.way.narrowed((parameter, text)), label=labelled(f"{parameter}.{number}"), size=size
        )
    text = texts[len(texts) // 2]
    yield from walk(
        stage, ground.wide.narrowed((parameter, text)), label=labelled(f"{WIDE}.{parameter}"), size=size, most=1
    )
    if rule.shown:
        yield from searches(stage, rule, ground.look, ground.way, ground.listed)


def _ground(
    stage: Stage,
    operation: Operation,
    other: Narrowing | None,
    rows: Sequence[tuple[Row, Sequence[str]]],
    *,
    base: tuple[str, str] | None = None,
) -> Steps[_Ground]:
    """Plants the rows and looks at them; `base` asks for them where nothing else narrows the list."""
    found = bed(stage, operation)
    for number, (row, apart) in enumerate(rows):
        yield from found.plant({**(other.row(number) if other else {}), **row}, apart=apart)
    wide = yield from found.way(operation, paging(stage.contract, operation))
    way = wide.narrowed(other.query(found.planted[0])) if other else wide
    looked = way if other or base is None else wide.narrowed(base)
    wanted = set(found.names)
    shown = yield from walk(
        stage, looked, label=labelled(BASE), size=wide.paging.largest, until=lambda walked: wanted <= set(walked.names)
    )
    made = {
        subject.id: subject.made.response.json() for subject in found.planted if subject.made and subject.made.response
    }
    every = forms(made, shown)
    seen = set(shown.names)
    return _Ground(found, wide, way, looked, every, {name: form for name, form in every.items() if name in seen})


def forms(made: Mapping[str, Any], shown: Walk | None) -> dict[str, Any]:
    """Each planted thing as the list shows it, else as the answer to its create does."""
    found = dict(made)
    for item in shown.items if shown else ():
        name = next(iter(names_of([item], shown.place if shown else "")), "")
        if name in made:
            found[name] = item
    return found


def contrasting(stage: Stage, operation: Operation, rule: Rule, mark: str) -> list[tuple[Row, Sequence[str]]]:
    """Members of things that the rule tells apart, each with the references that are not shared."""
    schema = settable(stage.contract, operation, rule.sent)
    if schema is None:
        return [({}, ()), ({}, ())]
    if things.referred(stage.contract, pointer.tokens(rule.sent)[-1]) is not None:
        return [({}, ()), ({}, ()), ({}, (rule.sent,))]
    return [({rule.sent: value}, ()) for value in _different(schema, rule, mark)]


def _different(schema: Mapping[str, Any], rule: Rule, mark: str) -> list[Any]:
    if "enum" in schema:
        return [value for value in schema["enum"] if value is not None][:MOST_VALUES]
    kind = schema.get("type", "string")
    if kind == "boolean":
        return [True, False]
    if kind in {"integer", "number"}:
        return numbers(schema)
    if rule.operator == "contains" and markable(schema):
        return [f"{mark} {word}" for word in WORDS]
    return [f"{mark} {word}" for word in ("one", "two")] if markable(schema) else []


def numbers(schema: Mapping[str, Any]) -> list[float]:
    """Numbers within a schema's bounds that texts order otherwise, and at least its own bounds."""
    low, high = schema.get("minimum", 0), schema.get("maximum", max(NUMBERS))
    step = schema.get("multipleOf", 1)
    found: list[float] = [value for value in NUMBERS if low <= value <= high and (step < 1 or value % step == 0)]
    bounds: list[float] = [low, high]
    return found if len(found) > 1 else list(dict.fromkeys(bounds))


def asked(rule: Rule, ground: _Ground, mark: str, stage: Stage) -> list[str]:
    """The texts to ask for: what the things show, and what none of them does."""
    shown = list(dict.fromkeys(text for form in ground.forms.values() for text in texts_of(rule, form)))
    if rule.maker:
        shown = [ground.bed.planted[0].owner.id]
    if not shown:
        return []
    if rule.operator == "contains":
        marked = any(text.startswith(mark) for text in shown)
        own = [mark, f"{mark}%", f"{mark} _", f"{mark} MIXED", f"{mark} mixed", *ASKED, f"{mark}zz"] if marked else []
        return [*own, *shown[:1]]
    if rule.operator == "in":
        return [*shown[:2], rule.separator.join(shown[:2])]
    if rule.operator == "equals":
        return [*shown[:MOST_VALUES], unlike(shown[0], stage.random)]
    return shown[:MOST_VALUES]


def texts_of(rule: Rule, form: Any) -> list[str]:
    """What a thing shows at the rule's members, as a parameter's texts."""
    found = [pointer.get(form, member) for member in rule.members]
    listed = [part for value in found for part in (value if isinstance(value, list) else [value])]
    return [values.shown(value) for value in listed if isinstance(value, str | int | float) and value != ""]


def _pairs(operation: Operation, stage: Stage) -> Steps[None]:
    """Two parameters at once: with the values of one thing, and of two."""
    known = rules(stage.contract, operation)
    mark = stage.unique("f")
    other = narrowing(stage.contract, operation, stage.unique("n"))
    columns = [contrasting(stage, operation, rule, mark) for rule in known]
    rows: list[tuple[Row, Sequence[str]]] = []
    for number in range(ROWS_TOGETHER):
        cells = [column[number % len(column)] for column in columns if column]
        apart = [place for _, places in cells for place in places]
        rows.append(({place: value for row, _ in reversed(cells) for place, value in row.items()}, apart))
    ground = yield from _ground(stage, operation, other if other and not other.mark else None, rows)
    shown = [form for form in ground.forms.values() if form is not None]
    for number, (one, two) in enumerate(list(combinations(known, 2))[:MOST_PAIRS]):
        for turn, (first, second) in enumerate(((shown[0], shown[0]), (shown[0], shown[-1]))):
            texts = [_text(rule, form, ground) for rule, form in ((one, first), (two, second))]
            if all(texts):
                way = ground.wide.narrowed((one.parameter, texts[0]), (two.parameter, texts[1]))
                label = labelled(f"{TOGETHER}.{number}-{turn}")
                yield from walk(stage, way, label=label, size=way.paging.largest)


def _text(rule: Rule, form: Any, ground: _Ground) -> str:
    return ground.bed.planted[0].owner.id if rule.maker else next(iter(texts_of(rule, form)), "")
