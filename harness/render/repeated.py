"""What calls with an idempotency key must be answered, as lines of Python (see assertion.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.render.asked import status
from harness.render.rule import LACKING, Unstated
from harness.render.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.render.asked import Asked

TOGETHER = "many calls at one instant show it, not one answer"
COUNTED = "it is told by counting what a whole list shows, which its sequence does not hold"
CUT = "it is told by ending the connection before the answer"


def _told(asked: Asked) -> Mapping[str, Any]:
    told = asked.contract.promise("idempotency", asked.operation)
    if not isinstance(told, dict):
        raise Unstated("the contract promises no key any more")
    return told


def _stated(asked: Asked, lines: Sequence[str]) -> Stated:
    """The lines, with every key made new: one that was used is answered by what it did then."""
    name = _told(asked)["header"].lower()
    keys = [value for step in asked.steps for header, value in step["headers"] if header.lower() == name]
    return Stated(lines, texts=tuple(dict.fromkeys(keys)))


def _calls(asked: Asked, *words: str) -> list[int]:
    """The steps that are calls with a key, those of the words where some are given; Unstated where there is none."""
    found = []
    for number, step in enumerate(asked.steps):
        parts = str(step["step"]).split("|")
        if parts[0] == "call" and (not words or parts[1] in words):
            found.append(number)
    if not found:
        raise Unstated(LACKING)
    return found


def _one_after_the_other(asked: Asked) -> tuple[int, int]:
    """The first call and the last, where they need not be under way together."""
    calls = _calls(asked)
    words = {str(asked.steps[number]["step"]).split("|")[1] for number in calls}
    if words & {"cut", "after-cut"}:
        raise Unstated(CUT)
    if words == {"together"}:
        raise Unstated(TOGETHER)
    if calls[0] == calls[-1]:
        raise Unstated(LACKING)
    return calls[0], calls[-1]


def _id(asked: Asked) -> str:
    told = _told(asked)
    resource = asked.contract.resource(told["resource"]) if "resource" in told else None
    resource = resource or asked.contract.resource_of(asked.operation.id)
    if resource is None:
        raise Unstated("nothing says what such a call makes")
    return resource.id


def _one_effect(asked: Asked) -> Stated:
    """The same call again names the thing that the first made."""
    if asked.finding.kind != "again":
        raise Unstated(CUT if "lost" in asked.finding.kind else TOGETHER)
    if "successes name" not in asked.finding.seen.lower():
        raise Unstated(COUNTED)
    first, again = _one_after_the_other(asked)
    place = _id(asked)
    test = f"answer.status >= 400 or answer.at({place!r}) == answers[{first}].told({place!r})"
    return _stated(asked, [f"done(answers[{first}])", f"check(answers[{again}], lambda answer: {test})"])


def _same_answer(asked: Asked) -> Stated:
    """The same call again is given the first answer, or says that it is given again."""
    calls = _calls(asked)
    header = _told(asked).get("replayed", "")
    if asked.finding.kind == "header" and len(calls) == 1:
        test = f"answer.header({header!r}) is None"
        return _stated(asked, [f"done(answers[{calls[0]}])", f"check(answers[{calls[0]}], lambda answer: {test})"])
    first, again = _one_after_the_other(asked)
    parts = "({0}.status, {0}.json() or {0}.body)".format
    test = f"{parts('answer')} == {parts(f'answers[{first}]')}"
    if asked.finding.kind == "header":
        test = f"answer.header({header!r}) is not None"
    return _stated(asked, [f"done(answers[{first}])", f"check(answers[{again}], lambda answer: {test})"])


def _not_refused(asked: Asked) -> Stated:
    """What was done is not refused when it is sent again."""
    if asked.finding.kind != "again":
        raise Unstated(TOGETHER)
    first, again = _one_after_the_other(asked)
    return _stated(asked, [f"done(answers[{first}])", status(again, "not in range(400, 500)")])


def _other_body(asked: Asked) -> Stated:
    """A used key with another body is refused."""
    kind = asked.finding.kind
    if kind not in {"old answer", "acted"}:
        raise Unstated(TOGETHER if kind == "at once" else COUNTED)
    first, other = _calls(asked)[0], _calls(asked, "other-body")[-1]
    return _stated(asked, [f"done(answers[{first}])", status(other, "in range(400, 500)")])


def _own_key(asked: Asked) -> Stated:
    """A key of the same text is another's own: it is served, and with what it made itself."""
    first, other = _calls(asked, "first")[0], _calls(asked, "other-caller")[-1]
    lines = [f"done(answers[{first}])"]
    if asked.finding.kind.endswith(" refused"):
        lines.append(status(other, "not in range(400, 500)"))
    else:
        place = _id(asked)
        test = f"answer.status >= 400 or answer.at({place!r}) != answers[{first}].told({place!r})"
        lines.append(f"check(answers[{other}], lambda answer: {test})")
    return _stated(asked, lines)


def _after_refusal(asked: Asked) -> Stated:
    """What follows a refusal under its key, as promised."""
    refused, after = _calls(asked, "refused")[0], _calls(asked, "after-refusal")[-1]
    test = "in range(200, 300)" if asked.finding.kind == "poisoned" else "in range(400, 500)"
    return _stated(asked, [f"declined(answers[{refused}])", status(after, test)])


def _bad_key(asked: Asked) -> Stated:
    """A call with no key, or with one that is too long, is refused."""
    if "what it makes is there" in asked.finding.seen:
        raise Unstated(COUNTED)
    return _stated(asked, [status(_calls(asked, "missing", "too-long")[-1], "in range(400, 500)")])


def _refused_so(asked: Asked) -> Stated:
    """Another body or a bad key is refused with the promised status."""
    kind = asked.finding.kind
    wanted = _told(asked).get({"other body": "other_body", "too-long": "too_long"}.get(kind, kind), 0)
    if kind != "other body":
        return _stated(asked, [status(_calls(asked, kind)[-1], f"== {wanted}")])
    first, other = _calls(asked)[0], _calls(asked, "other-body")[-1]
    return _stated(asked, [f"done(answers[{first}])", status(other, f"== {wanted}")])


MADE: Mapping[str, Callable[[Asked], list[str] | Stated]] = {
    "idempotency.many-effects": _one_effect,
    "idempotency.other-answer": _same_answer,
    "idempotency.refused-again": _not_refused,
    "idempotency.other-body": _other_body,
    "idempotency.shared-key": _own_key,
    "idempotency.refusal": _after_refusal,
    "idempotency.bad-key": _bad_key,
    "idempotency.status": _refused_so,
}
