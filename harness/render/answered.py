"""What an answer itself must be: its status, media type, body and headers, as lines of Python (see assertion.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.render.rule import Unstated, check

if TYPE_CHECKING:
    from harness.render.asked import Asked


def documented(asked: Asked) -> list[str]:
    """The status is a documented one."""
    statuses = [answer.status.upper() for answer in asked.operation.answers]
    if "DEFAULT" in statuses:
        raise Unstated("every status is documented by now")
    return [f"check(answers[{asked.last}], lambda answer: answer.is_one_of({statuses!r}))"]


def media(asked: Asked) -> list[str]:
    """The media type is one of the status's."""
    told = asked.finding.kind.partition(" ")[0]
    answer = asked.operation.answer(int(told)) if told.isdigit() else None
    types = [body.media_type.partition(";")[0].lower() for body in answer.bodies] if answer else []
    if not types or any("*" in name for name in types):
        raise Unstated("the contract names no single media type for it")
    return [_still(asked, told), f"check(answers[{asked.last}], lambda answer: answer.media_type in {types!r})"]


def shape(asked: Asked) -> list[str]:
    """The rule of the schema that the body broke."""
    told, _, broken = asked.finding.kind.partition(" ")
    lines = [_still(asked, told)]
    if broken == "empty":
        return [*lines, f"check(answers[{asked.last}], lambda answer: answer.body.strip())"]
    if broken == "not JSON":
        return [*lines, f"check(answers[{asked.last}], lambda answer: answer.json() is not None)"]
    place, _, rule = broken.partition(" ")
    return [*lines, *check(asked.contract, _schema(asked, told), place, rule, f"answers[{asked.last}]")]


def _schema(asked: Asked, told: str) -> Any:
    """The schema of the body with that status: the envelope's, or the documented one."""
    if asked.finding.code.startswith("envelope."):
        return (asked.contract.promise("envelope", asked.operation) or {}).get("schema")
    answer = asked.operation.answer(int(told)) if told.isdigit() else None
    return answer.bodies[0].schema if answer and answer.bodies else None


def header(asked: Asked) -> list[str]:
    """The documented header is there."""
    told, _, rest = asked.finding.kind.partition(" ")
    name, _, rule = rest.partition(" ")
    if rule:
        raise Unstated("it is told by the schema of a header")
    return [_still(asked, told), f"check(answers[{asked.last}], lambda answer: answer.header({name!r}))"]


def promised_header(asked: Asked) -> list[str]:
    """A header of the promise `headers`: there, absent, or of its value."""
    name = asked.finding.kind
    rules = asked.contract.promise("headers", asked.operation) or {}
    rule = next((rule for known, rule in rules.items() if known.lower() == name), None)
    if rule is None:
        raise Unstated("the contract promises this header no more")
    test = "is not None"
    if rule.get("absent"):
        test = "is None"
    elif "const" in rule:
        test = f"== {rule['const']!r}"
    elif "pattern" in rule:
        found = f"re.search({rule['pattern']!r}, answer.header({name!r}) or '')"
        return [f"check(answers[{asked.last}], lambda answer: {found})"]
    return [f"check(answers[{asked.last}], lambda answer: answer.header({name!r}) {test})"]


def leak(asked: Asked) -> list[str]:
    """No text of the leak's form is in the body."""
    pattern = asked.patterns.get((asked.finding.code, asked.finding.kind))
    if pattern is None:
        raise Unstated("no single form of text shows it")
    return [f"check(answers[{asked.last}], lambda answer: not re.search({pattern!r}, answer.text, re.MULTILINE))"]


def _still(asked: Asked, told: str) -> str:
    """That the answer is of the status in which the fault was seen: another one says nothing of it."""
    return f"same(answers[{asked.last}], {told})"
