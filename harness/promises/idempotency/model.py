"""What one key may lead to: a pure model of calls that carry the same key and body, and of what is there afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.exchange import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BUSY = frozenset({409, 423, 425})
SILENT = frozenset({401, 429})
MANY, OTHER, AGAIN, NONE = "many-effects", "other-answer", "refused-again", "no-effect"


@dataclass(frozen=True, slots=True)
class Call:
    """One call: what came, and when on one clock. `thing` is the id that a success told, empty where it told none.

    `answer` is a success's status and body in one text, `replayed` whether it has the header that says so.
    """

    outcome: Outcome
    status: int
    sent_ns: int
    done_ns: int
    thing: str = ""
    answer: str = ""
    replayed: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether it says that it happened."""
        return self.outcome is Outcome.OK


@dataclass(frozen=True, slots=True)
class Rule:
    """How strict the declared promise is.

    `in_progress` is the status of a call that comes while the first is under way; 0 where it is not told.
    """

    same_answer: bool = False
    says_replayed: bool = False
    in_progress: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: its class, what sets it apart in a few words, what was seen, the calls by their index."""

    word: str
    kind: str
    seen: str
    calls: tuple[int, ...]


def faults(calls: Sequence[Call], rule: Rule, *, count: int | None, absent: bool = False) -> Iterator[Fault]:
    """What is wrong with calls of one key and body, in the order in which they were sent.

    `count` is how many things are there afterwards that the body made, None where nobody can tell; `absent` says that
    the thing which the last success told cannot be found. An answer that is lost may have had its effect or not.
    """
    won = [index for index, call in enumerate(calls) if call.succeeded]
    things = list(dict.fromkeys(calls[index].thing for index in won if calls[index].thing))
    if len(things) > 1:
        several = tuple(next(index for index in won if calls[index].thing == thing) for thing in things)
        yield Fault(MANY, _when(calls, several), f"the successes name {len(things)} things: {_list(things)}", several)
    elif count is not None and count > 1:
        told = f"{len(won)} of {len(calls)} calls with one key succeeded, and {count} things of this body are there"
        yield Fault(MANY, _when(calls, won), told, tuple(range(len(calls))))
    if won and absent:
        told = "a call sent again is answered as a success, and what it names is not there"
        yield Fault(NONE, "", told, (won[-1],))
    yield from _refusals(calls, rule, won)
    if len(things) <= 1:
        yield from _answers(calls, rule, won)


def _refusals(calls: Sequence[Call], rule: Rule, won: Sequence[int]) -> Iterator[Fault]:
    """Refusals of a call whose like succeeded; one beside it may be told that the first is under way."""
    for index, call in enumerate(calls):
        if call.outcome is not Outcome.REFUSED or call.status in SILENT:
            continue
        before = [at for at in won if calls[at].done_ns < call.sent_ns]
        beside = [at for at in won if at not in before and calls[at].sent_ns < call.done_ns]
        if before:
            yield Fault(AGAIN, "again", f"the same call again was refused with {call.status}", (before[0], index))
            return
        busy = {rule.in_progress} if rule.in_progress else BUSY
        if beside and call.status not in busy:
            told = f"the same call at the same time was refused with {call.status}"
            yield Fault(AGAIN, "at once", told, (beside[0], index))
            return


def _answers(calls: Sequence[Call], rule: Rule, won: Sequence[int]) -> Iterator[Fault]:
    """Successes that do not say what the first said, where that is promised."""
    unlike = [index for index in won if calls[index].answer != calls[won[0]].answer]
    if rule.same_answer and unlike:
        first, other = calls[won[0]], calls[unlike[0]]
        seen = f"the same call again was answered otherwise: {_shown(first.answer)}, then {_shown(other.answer)}"
        yield Fault(OTHER, "answer", seen, (won[0], unlike[0]))
    if not rule.says_replayed or not won:
        return
    fresh = [index for index in won if not calls[index].replayed]
    if len(fresh) > 1:
        seen = f"{len(fresh)} of {len(won)} successes of one key do not say that they are replayed"
        yield Fault(OTHER, "header", seen, tuple(fresh[:2]))
    elif not fresh and all(call.outcome is not Outcome.UNKNOWN for call in calls):
        yield Fault(OTHER, "header", "every success says that it is replayed, also the first", (won[0],))


def _when(calls: Sequence[Call], indices: Sequence[int]) -> str:
    """Whether the successes were under way at the same time, or one came after the other or after a lost answer."""
    group = [calls[index] for index in indices]
    if any(call.outcome is Outcome.UNKNOWN for call in calls):
        return "after a lost answer"
    apart = any(one.done_ns < other.sent_ns for one in group for other in group)
    return "again" if apart else "at once"


def _list(values: Sequence[str]) -> str:
    return ", ".join(values[:4])


def _shown(text: str, limit: int = 120) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
