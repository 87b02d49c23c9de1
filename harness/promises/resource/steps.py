"""The words that cases and judgement of `resource` share: what a request is in its case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.exchange import Outcome
from harness.promises.paging import names_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.exchange import Exchange

KEY = "resource"
TOO_MANY_REQUESTS = 429
MADE, READ, READ_LATER = "made", "read", "read-later"
LISTED, LISTED_LATER, FOUND_BY_ID = "listed", "listed-later", "found-by-id"
BEFORE, UPDATED, SHOWN, SHOWN_LATER = "before", "updated", "shown", "shown-later"
ZERO, ZERO_SHOWN = "zero", "zero-shown"
CONTROL, TOGETHER, TRIAL, TRIAL_SHOWN = "control", "together", "trial", "trial-shown"


def step(word: str, *rest: object) -> str:
    """A step's text: its word, then what it is about."""
    return "|".join((word, *(str(part) for part in rest)))


def parts(exchange: Exchange) -> list[str]:
    """A step's word and what it is about."""
    return exchange.request.step.split("|")


def first(exchanges: Sequence[Exchange], word: str) -> Exchange | None:
    """The first exchange of a word."""
    return next((exchange for exchange in exchanges if parts(exchange)[0] == word), None)


def each(exchanges: Sequence[Exchange], word: str) -> list[Exchange]:
    """Every exchange of a word, in order."""
    return [exchange for exchange in exchanges if parts(exchange)[0] == word]


def settled(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """The exchanges without each 429 that was waited out: the same step follows at once."""
    return [
        exchange
        for index, exchange in enumerate(exchanges)
        if exchange.status != TOO_MANY_REQUESTS
        or index + 1 == len(exchanges)
        or exchanges[index + 1].request.step != exchange.request.step
    ]


def succeeded(exchange: Exchange | None) -> bool:
    """Whether the answer is a 2xx other than 202, which promises nothing yet."""
    if exchange is None or exchange.outcome is not Outcome.OK:
        return False
    return exchange.status < 300 and exchange.status != 202  # noqa: PLR2004 - the class of status; 202 Accepted


def ids(items: Any, place: str) -> set[str]:
    """The ids of a list's members."""
    return set(names_of(items, place))
