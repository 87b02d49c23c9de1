"""One identity's attempt at an operation: what the thing was before, the call, and what the thing was after."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness import things
from harness.case import Steps, one
from harness.cell import Cell, CellState
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import precondition
from harness.promises import subject as subjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.contract import Operation
    from harness.exchange import Exchange
    from harness.finding import Finding
    from harness.identities import Identity
    from harness.promises.subject import Subject
    from harness.stage import Stage

MAY, MAY_NOT = "may", "may-not"
BEFORE, AFTER, AGAIN = "before", "after", "again"
TOO_MANY_REQUESTS = 429
REDIRECT = 300
GONE = {404, 410}
GATES = {401, 403, 404}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt as a history holds it; `label` says whose, `expected` is MAY or MAY_NOT."""

    label: str
    expected: str
    call: Exchange
    before: Exchange | None = None
    after: Exchange | None = None
    again: Exchange | None = None

    @property
    def unanswered(self) -> str:
        """Why the call tells nothing: no answer, a server error, a limit; empty where it does."""
        if self.call.status == TOO_MANY_REQUESTS:
            return f"{self.label}: {self.call.operation} stayed at its rate limit"
        if self.call.outcome is Outcome.UNKNOWN:
            return f"{self.label}: {self.call.operation} gave {self.call.status or self.call.error or 'no answer'}"
        return ""

    @property
    def let_in(self) -> bool:
        """Whether the call did its work; a redirect, as to a login page, did not."""
        return self.call.outcome is Outcome.OK and self.call.status < REDIRECT

    @property
    def gated(self) -> bool:
        """Whether the answer is one that a gate gives, and not one about the request's body."""
        return self.call.status in GATES or REDIRECT <= self.call.status < 400  # noqa: PLR2004 - the class of status

    @property
    def effect(self) -> str:
        """What the call changed although it was refused, as a phrase; empty where nothing is seen."""
        before = subjects.shown(self.before)
        if before is None or self.after is None:
            return ""
        if self.after.status in GONE:
            return "the thing was gone"
        after, again = subjects.shown(self.after), subjects.shown(self.again)
        if after is None or again is None:
            return ""
        places = subjects.lasting(before, after, again)
        return f"{', '.join(places)} had changed" if places else ""

    @property
    def witnesses(self) -> tuple[str, ...]:
        """The ids of the exchanges that show it."""
        found = (self.before, self.call, self.after, self.again)
        return tuple(exchange.id for exchange in found if exchange is not None)


def attempt(
    stage: Stage,
    operation: Operation,
    *,
    subject: Subject | None,
    identity: Identity,
    step: str,
    caller: Identity | None = None,
) -> Steps[Exchange]:
    """Calls the operation, valid in all but perhaps its caller; reads the subject before, and after a refusal.

    `step` is MAY or MAY_NOT, a colon, and whose attempt it is. The identity makes what the call needs; it calls, unless
    another `caller` is named.
    """
    expected, _, label = step.partition(":")
    path = subjects.path_of(stage.contract, operation, subject) if subject else None
    request = yield from things.valid(stage, operation, identity=identity, path=path, step=step)
    before = None
    if subject is not None:
        before = yield from subjects.read(stage, subject, f"{BEFORE}:{label}")
        forms = precondition.forms(stage.contract, operation, subject.resource)
        request = precondition.current(request, forms, before or subject.made)
    call = yield from one(request if caller is None else replace(request, identity=caller))
    if subject is None or expected == MAY or call.outcome is Outcome.OK or subjects.shown(before) is None:
        return call
    after = yield from subjects.read(stage, subject, f"{AFTER}:{label}")
    if subjects.changes(subjects.shown(before), subjects.shown(after)):
        yield from subjects.read(stage, subject, f"{AGAIN}:{label}")
    return call


def attempts(exchanges: Sequence[Exchange]) -> list[Attempt]:
    """The attempts of a case-run, in order."""
    by_step = {exchange.request.step: exchange for exchange in exchanges}
    found = []
    for step, exchange in by_step.items():
        expected, _, label = step.partition(":")
        if expected in {MAY, MAY_NOT}:
            parts = (by_step.get(f"{word}:{label}") for word in (BEFORE, AFTER, AGAIN))
            found.append(Attempt(label, expected, exchange, *parts))
    return found


def seen_as(tried: Attempt, expected: str, finding: Finding | None) -> Cell:
    """An attempt as a cell of the authorization matrix."""
    seen = str(tried.call.status)
    if finding is not None:
        return Cell(tried.label, expected, seen, CellState.BROKEN, finding.seen)
    if tried.expected == MAY and not tried.let_in:
        return Cell(tried.label, expected, seen, reason="neither let in nor turned away for who it is")
    return Cell(tried.label, expected, seen, CellState.HELD)


def each(parts: Iterable[Steps[None]]) -> Steps[None]:
    """Every part in turn, also when one cannot tell; at the end raises CannotTell with all the reasons there were."""
    reasons = []
    for part in parts:
        try:
            yield from part
        except CannotTell as reason:
            reasons.append(str(reason))
    if reasons:
        raise CannotTell("; ".join(dict.fromkeys(reasons)))
