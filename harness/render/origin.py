"""What an answer must tell pages of an origin, as lines of Python (see assertion.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.render.rule import LACKING, Unstated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.render.asked import Asked
    from harness.render.stated import Stated

ALLOW = "answer.header('Access-Control-Allow-Origin')"
CREDENTIALS = "(answer.header('Access-Control-Allow-Credentials') or '').strip().lower() == 'true'"
ANY, NULL = "*", "null"
WAYS = ("preflight", "simple")


def _asking(asked: Asked) -> tuple[int, str]:
    """The step that asks from an origin, and the origin."""
    for number, step in enumerate(asked.steps):
        way, _, origin = str(step["step"]).partition(" ")
        if way in WAYS:
            return number, origin
    raise Unstated(LACKING)


def _held(number: int, test: str) -> list[str]:
    return [f"clear(answers[{number}], [])", f"check(answers[{number}], lambda answer: {test})"]


def _foreign(asked: Asked) -> list[str]:
    """No other than a declared origin may read; where none is declared, none with credentials."""
    number, origin = _asking(asked)
    told = asked.contract.promise("cors", asked.operation)
    taken = f"{ALLOW} in {[origin, NULL, ANY]!r}"
    if told is None or ANY in told["origins"]:
        return _held(number, f"not ({taken} and {CREDENTIALS})")
    if asked.finding.kind == "another's":
        return _held(number, f"{ALLOW} is None")
    return _held(number, f"not {taken}")


def _refused(asked: Asked) -> list[str]:
    """A declared origin may read, with credentials where they are promised."""
    number, origin = _asking(asked)
    if asked.finding.kind.endswith(" credentials"):
        return _held(number, CREDENTIALS)
    return _held(number, f"{ALLOW} in {[origin, ANY]!r}")


def _varies(asked: Asked) -> list[str]:
    """What is for one origin says so."""
    number, origin = _asking(asked)
    return _held(number, f"{ALLOW} != {origin!r} or words(answer.header('Vary')) & {{'origin', '*'}}")


MADE: Mapping[str, Callable[[Asked], list[str] | Stated]] = {
    **dict.fromkeys(("cors.foreign-origin", "cors.any-origin"), _foreign),
    "cors.refused": _refused,
    "cors.vary": _varies,
}
