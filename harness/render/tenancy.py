"""What one tenant may be shown of another, as lines of Python (see assertion.py)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.render.asked import status
from harness.render.listing import items
from harness.render.rule import LACKING, Unstated
from harness.render.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.render.asked import Asked

SHOWN = re.compile(r"was shown (\S+), which stands")


def _told(asked: Asked) -> Mapping[str, Any]:
    told = asked.contract.promise("tenant", asked.operation)
    return told if isinstance(told, dict) else {}


def _step(asked: Asked, *words: str) -> int:
    """The first step whose word before the colon is one of these; Unstated where none is."""
    for number, step in enumerate(asked.steps):
        if str(step["step"]).partition(":")[0] in words:
            return number
    raise Unstated(LACKING)


def _canary(asked: Asked) -> Stated:
    """What was written in one tenant, as it is written now, does not stand in the answer to the other."""
    plant, away = _step(asked, "plant"), len(asked.steps) - 1
    mark = str(asked.steps[plant]["step"]).partition(":")[2]
    seen = SHOWN.search(asked.finding.seen)
    if seen is None or plant == away:
        raise Unstated("its finding does not say what was shown")
    wanted = f"fresh({mark!r})" if seen[1] == mark else asked.id_of(plant)
    asks = mark in f"{asked.steps[away]['path']} {asked.steps[away]['query']} {asked.steps[away]['body']}"
    text = "answer.text"
    if asks:  # what was asked for may well be said again; in an item it may not stand
        text = f"json.dumps(answer.at({items(asked.contract, asked.operation)!r}))"
    lines = [f"done(answers[{plant}])", f"clear(answers[{away}], [])"]
    lines.append(f"check(answers[{away}], lambda answer: str({wanted}).lower() not in {text}.lower())")
    return Stated(lines, texts=(mark,))


def _reached(asked: Asked) -> list[str]:
    """What another tenant has is not taken, and not changed."""
    call = _step(asked, "foreign")
    if "; afterwards " not in asked.finding.seen:
        return [f"declined(answers[{_step(asked, 'absent-1')}])", status(call, "not in range(200, 300)")]
    return _lasting(asked, _step(asked, "before"), _step(asked, "after"))


def _lasting(asked: Asked, before: int, after: int) -> list[str]:
    again = next((n for n, step in enumerate(asked.steps) if str(step["step"]).startswith("again:")), after)
    return [
        f"done(answers[{before}])",
        status(after, "not in (404, 410)"),
        f"check(answers[{after}], lambda answer: lasting(answers[{before}], answer, answers[{again}]))",
    ]


def _existence(asked: Asked) -> list[str]:
    """What another tenant has is answered as two ids that are nowhere."""
    call, one, other = _step(asked, "foreign"), _step(asked, "absent-1"), _step(asked, "absent-2")
    return [f"check(answers[{call}], lambda answer: alike(answer, answers[{one}], answers[{other}]))"]


def _credentials(asked: Asked) -> list[str]:
    """Credentials of another tenant are not let in, and change nothing."""
    call = _step(asked, "other")
    lines = [f"clear(answers[{call}], [])", status(call, "not in range(200, 300)")]
    if "; afterwards " in asked.finding.seen:
        lines += _lasting(asked, _step(asked, "before"), _step(asked, "after"))
    return lines


def _status(asked: Asked) -> Stated:
    """Another or an unknown tenant is refused with the promised status."""
    if asked.finding.kind == "unknown tenant":
        return _unknown(asked)
    return Stated([status(_step(asked, "other"), f"== {_told(asked).get('other')}")])


def _unknown(asked: Asked) -> Stated:
    """A tenant that is not there is answered so, however often; its name is a new one, as the last may be there now."""
    number = [n for n, step in enumerate(asked.steps) if str(step["step"]).startswith("unknown-")]
    if not number:
        raise Unstated(LACKING)
    name = str(asked.steps[number[-1]]["identity"]["tenant"])
    lines = [status(number[-1], f"== {_told(asked).get('unknown')}")]
    return Stated(lines, texts=(name,) if name else ())


def _placed(asked: Asked) -> list[str]:
    """The tenant is taken from where it is told, in the promised order."""
    kind, own = asked.finding.kind.partition(" ")[0], _step(asked, "own")
    call, conflict = _step(asked, "place", "pair", "swap"), _told(asked).get("conflict")
    if kind == "swap":
        test = "not in range(200, 300)"
    elif kind == "pair" and isinstance(conflict, int):
        test = f"== {conflict}"
    else:
        test = "in range(200, 300)"
    return [f"done(answers[{own}])", f"clear(answers[{call}], [])", status(call, test)]


MADE: Mapping[str, Callable[[Asked], list[str] | Stated]] = {
    "tenant.canary": _canary,
    "tenant.reached": _reached,
    "tenant.existence": _existence,
    "tenant.credentials": _credentials,
    "tenant.unknown": _unknown,
    "tenant.told": _placed,
    "tenant.status": _status,
}
