"""The words that cases and judgement of `cache` share: what a request is in its case."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.exchange import Exchange

PRIMED, READ, WRITTEN, THING = "primed", "read", "written", "thing"
BEFORE, AFTER, AGAIN = "before", "after", "again"
PLANTED, APART = "planted", "apart"
HERE, THERE = "here", "there"
TAG, SAME, CONDITIONAL = "tag", "same", "conditional"
SEEN, ANY, LISTED, WEAK, OTHER, STALE = "seen", "any", "listed", "weak", "other", "stale"
SIZED = "sized"
# Sizes of the pages that are asked for one after the other, and with them how many things each shows.
SMALL, LARGE = 1, 2
# What the step of a write that is a cause alone has: its word and its number; one of a value says where that stands.
CAUSE_PARTS = 2


def step(word: str, *rest: object) -> str:
    """A step's text: its word, then what it is about."""
    return "|".join((word, *(str(part) for part in rest)))


def parts(exchange: Exchange) -> list[str]:
    """A step's word and what it is about."""
    return exchange.request.step.split("|")


def each(exchanges: Iterable[Exchange], word: str, *about: str) -> list[Exchange]:
    """Every exchange of a word, in order; those about something where that is told."""
    return [exchange for exchange in exchanges if parts(exchange)[: 1 + len(about)] == [word, *about]]


def first(exchanges: Iterable[Exchange], word: str, *about: str) -> Exchange | None:
    """The first exchange of a word."""
    return next(iter(each(exchanges, word, *about)), None)
