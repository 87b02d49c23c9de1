"""The words that cases and judgement of `idempotency` share: what a call is, under which key, with which body."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.exchange import Exchange

CALL, COUNTED, READ, HAD, LEFT = "call", "counted", "read", "had", "left"
TOGETHER, FIRST, AGAIN, CUT, AFTER_CUT = "together", "first", "again", "cut", "after-cut"
OTHER_BODY, OTHER_CALLER, CONTROL = "other-body", "other-caller", "control"
REFUSED, AFTER_REFUSAL = "refused", "after-refusal"
MISSING, TOO_LONG = "missing", "too-long"


@dataclass(frozen=True, slots=True)
class Said:
    """What a call's step says: its word, and names for its key, its body and its caller.

    `marks` are the places of the body whose values no other body of any case has.
    """

    word: str
    key: str
    body: str
    caller: str = "one"
    marks: tuple[str, ...] = ()

    @property
    def step(self) -> str:
        """The step's text."""
        return "|".join((CALL, self.word, self.key, self.body, self.caller, " ".join(self.marks)))


def said(exchange: Exchange) -> Said | None:
    """What a call's step says; None for any other request."""
    parts = exchange.request.step.split("|")
    if parts[0] != CALL or len(parts) != 1 + len(fields(Said)):
        return None
    _, word, key, body, caller, marks = parts
    return Said(word, key, body, caller, tuple(marks.split()))


def about(exchange: Exchange, word: str) -> str:
    """The body that a step of that word is about; empty for any other request."""
    parts = exchange.request.step.split("|")
    return parts[1] if parts[0] == word and len(parts) > 1 else ""
