"""The words that cases and judgement of `version` share: what a write is, in which form, on which member."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from harness.exchange import Exchange

KEY = "version"
SEEN, FIRST, SHOWN_FIRST, SECOND, SHOWN_SECOND = "seen", "first", "shown-first", "second", "shown-second"
SEEN_AGAIN, FIRST_AGAIN = "seen-again", "first-again"
OTHER, SHOWN_OTHER = "other", "shown-other"
WRITER, SHOWN, UNVERSIONED = "writer", "shown", "unversioned"


@dataclass(frozen=True, slots=True)
class Written:
    """What a write's step says: its word, its round, the form it told its version in, and its member's two places."""

    word: str
    round: int
    form: str
    place: str
    shown: str

    @property
    def step(self) -> str:
        """The step's text."""
        return "|".join((self.word, str(self.round), self.form, self.place, self.shown))


def written(exchange: Exchange) -> Written | None:
    """What a write's step says; None for any other request."""
    parts = exchange.request.step.split("|")
    if len(parts) != 5:  # noqa: PLR2004 - the members of Written
        return None
    return Written(parts[0], int(parts[1]), *parts[2:])


def name_of(form: Mapping[str, Any]) -> str:
    """How a form is called in steps, cases and findings."""
    return f"{form['in']} {form['name']}"
