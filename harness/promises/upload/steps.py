"""The words that cases and judgement of `upload` share: what a request is in its case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.exchange import Outcome

if TYPE_CHECKING:
    from harness.exchange import Exchange

KEY = "upload"
VALID, TRIAL, WITHIN = "valid", "trial", "within"
# Before the broken ones, or in their place where a run before this one saw what they do; then after them.
CONTROL, STILL, BROKEN, LAST, LATER, ANOTHER = "control", "still", "broken", "last", "later", "another"
PIXELS, SIDE, BYTES = "pixels", "side", "bytes"
TIMED_OUT = "timed out"


def fails(exchange: Exchange) -> bool:
    """Whether the server could not answer: a 5xx, or nothing in time."""
    if exchange.response is None:
        return exchange.error == TIMED_OUT
    return exchange.outcome is Outcome.UNKNOWN
