"""What must follow a delete, as lines of Python (see assertion.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.render.asked import sent, status
from harness.render.listing import identity, items
from harness.render.rule import Unstated
from harness.render.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.render.asked import Asked

MISSING = (404, 410)
CONFLICT = 409


def _told(asked: Asked) -> Mapping[str, Any]:
    told = asked.contract.promise("delete", asked.operation)
    return told if isinstance(told, dict) else {}


def _deleted(asked: Asked) -> str:
    """The line that goes on only where the delete was done."""
    return f"done(answers[{asked.word('deleted')}])"


def _gone(asked: Asked) -> list[str]:
    """What was deleted is not found."""
    return [status(asked.word("gone", "gone-later"), f"in {tuple(_told(asked).get('gone', MISSING))!r}")]


def _again(asked: Asked) -> list[str]:
    """A second delete is answered as promised."""
    resource = asked.contract.resource_of(asked.operation.id)
    promised = _told(asked).get("again") or (resource.again if resource else 0)
    return [status(asked.word("deleted-again"), f"== {promised}" if promised else f"in {MISSING!r}")]


def _unwritten(asked: Asked) -> list[str]:
    """A deleted thing takes no write."""
    return [status(asked.word("wrote-after"), "in range(400, 500)")]


def _unlisted(asked: Asked) -> list[str]:
    """A list shows it no more."""
    page = asked.word("listed-after")
    listing = asked.contract.by_id.get(asked.steps[page]["operation"])
    if listing is None:
        raise Unstated("the contract has its list no more")
    deleted = asked.word("deleted")
    id_ = asked.origin(deleted, str(asked.steps[deleted]["step"]).split("|")[1])
    place = identity(asked.contract, listing, asked.operation)
    test = f"str({id_}) not in names(answer, {items(asked.contract, listing)!r}, {place!r})"
    return [_deleted(asked), f"check(answers[{page}], lambda answer: {test})"]


def _counted(asked: Asked) -> list[str]:
    """A count is one less than before."""
    before, after = asked.word("counted"), asked.word("counted-after")
    member = _told(asked)["counts"][int(str(asked.steps[after]["step"]).split("|")[1])]["member"]
    test = f"answer.told({member!r}) == answers[{before}].told({member!r}) - 1"
    return [_deleted(asked), f"check(answers[{after}], lambda answer: {test})"]


def _unused(asked: Asked) -> list[str]:
    """Nothing new refers to it."""
    return [_deleted(asked), status(asked.word("used-after"), "in range(400, 500)")]


def _child(asked: Asked) -> list[str]:
    """What lies under it is gone with it, or stays."""
    becomes = next(child["becomes"] for child in _told(asked)["children"] if child["resource"] == asked.finding.kind)
    before, after = asked.word("child-before"), asked.word("child-after")
    test = "in range(200, 300)" if becomes == "kept" else "in range(400, 500)"
    return [f"done(answers[{before}])", _deleted(asked), status(after, test)]


def _in_use(asked: Asked) -> list[str]:
    """What is in use is not deleted."""
    wanted = _told(asked)["used"].get("status", CONFLICT)
    return [f"done(answers[{asked.word('child')}])", status(asked.word("refused"), f"== {wanted}")]


def _unchanged(asked: Asked) -> list[str]:
    """A refused delete has changed nothing that lasts between two reads."""
    before, refused, kept = asked.word("before"), asked.word("refused"), asked.word("kept")
    again = next((n for n, step in enumerate(asked.steps) if str(step["step"]).startswith("kept-again")), kept)
    return [
        f"declined(answers[{refused}])",
        status(kept, "in range(200, 300)"),
        f"check(answers[{kept}], lambda answer: lasting(answers[{before}], answer, answers[{again}]))",
    ]


def _unique(asked: Asked) -> Stated:
    """A unique value is refused while its thing lives; after its delete it is free, or is not, as promised."""
    unique, made = _told(asked)["unique"], asked.word("made")
    value = pointer.get(sent(asked.steps[made]), unique["member"])
    lines = [f"done(answers[{made}])"]
    if asked.finding.kind == "two":
        lines.append(status(asked.word("taken"), f"== {unique.get('status', CONFLICT)}"))
    else:
        test = "in range(200, 300)" if unique["becomes"] == "free" else "in range(400, 500)"
        lines += [_deleted(asked), status(asked.word("taken-after"), test)]
    return Stated(lines, texts=(value,) if isinstance(value, str) else ())


def _restored(asked: Asked) -> list[str]:
    """It can be brought back, and is read then."""
    lines = [_deleted(asked), status(asked.word("restored"), "in range(200, 300)")]
    shown = [number for number, step in enumerate(asked.steps) if str(step["step"]).split("|")[0] == "shown"]
    return [*lines, *(status(number, "in range(200, 300)") for number in shown)]


MADE: Mapping[str, Callable[[Asked], list[str] | Stated]] = {
    "delete.read": _gone,
    "delete.again": _again,
    "delete.changed": _unwritten,
    "delete.listed": _unlisted,
    "delete.counted": _counted,
    "delete.used": _unused,
    "delete.child": _child,
    "delete.in-use": _in_use,
    "delete.effect": _unchanged,
    "delete.unique": _unique,
    "delete.restore": _restored,
}
