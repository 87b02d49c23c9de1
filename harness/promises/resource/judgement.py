"""What the answers of the cases of `resource` say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.exchange import Outcome
from harness.finding import Finding, Severity
from harness.mask import is_secret_name
from harness.promises import subject as subjects
from harness.promises.resource import mass, nesting, sign_up
from harness.promises.resource import steps as words
from harness.promises.resource.steps import KEY, each, first, ids, parts, succeeded
from harness.promises.writing import alike, equal, shown_at
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract import Contract, Operation, Resource
    from harness.exchange import Exchange

TOO_MANY_REQUESTS = 429
GONE = {404, 410}
CREATED = 201
TITLES = {
    "resource.create-not-readable": "makes what cannot be read as it was made",
    "resource.not-listed": "leaves out what was made",
    "resource.update-lost": "accepts an update that does not show",
}


@dataclass(slots=True)
class _Look:
    """One judgement under way."""

    operation: Operation
    resource: Resource
    exchanges: Sequence[Exchange]
    examined: int = 0
    findings: list[Finding] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def first(self, word: str) -> Exchange | None:
        """The first exchange of a word."""
        return first(self.exchanges, word)

    def answered(self, exchange: Exchange | None) -> bool:
        """Whether the answer can be judged; notes the reason where one came that cannot."""
        if exchange is None:
            return False
        if exchange.outcome is Outcome.UNKNOWN or exchange.status == TOO_MANY_REQUESTS:
            self.reasons.append(f"{exchange.operation} gave {exchange.status or exchange.error or 'no answer'}")
            return False
        return True

    def found(self, code: str, kind: str, promised: str, seen: str, *witnesses: Exchange | None) -> None:
        """Notes a finding."""
        self.findings.append(
            Finding(
                code,
                f"{self.operation.id} {TITLES[code]}",
                Severity.HIGH,
                self.operation.id,
                kind=kind,
                promised=promised,
                seen=seen,
                witnesses=tuple(exchange.id for exchange in witnesses if exchange is not None),
            )
        )


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Judges whichever of the cases the exchanges hold."""
    resource = sign_up.concerned(contract, operation)
    if resource is None:
        return Verdict(KEY, operation.id)
    exchanges = words.settled(exchanges)
    look = _Look(operation, resource, exchanges)
    for law in (_readable, _listed, _update_shows):
        law(look)
    tried, assigned = mass.judged(resource, operation, exchanges)
    apart, misplaced = nesting.judged(operation, exchanges)
    findings = (*look.findings, *assigned, *misplaced)
    return Verdict(KEY, operation.id, look.examined + tried + apart, findings, "; ".join(dict.fromkeys(look.reasons)))


def _readable(look: _Look) -> None:
    """What was made is read by its maker, with what was sent and acknowledged."""
    made, read = look.first(words.MADE), look.first(words.READ_LATER) or look.first(words.READ)
    if made is None or read is None or not succeeded(made) or not look.answered(read):
        return
    if read.request.identity.name != made.request.identity.name and read.outcome is not Outcome.OK:
        return  # another than its maker had to read it, who need not see it
    if not look.resource.declared and (made.status != CREATED or read.status not in {404, 200}):
        return
    look.examined += 1
    promised = f"What {look.operation.id} makes is read by {look.resource.read}."
    if read.status in GONE or (look.resource.declared and read.outcome is Outcome.REFUSED):
        seen = f"{made.status} was answered to the create, and {read.status} to its maker's read."
        look.found("resource.create-not-readable", "", promised, seen, made, read)
        return
    for place, sent, got in _unlike(look.resource, made, read):
        seen = f"{place} was sent as {sent!r}, answered so, and is read as {got!r}."
        look.found("resource.create-not-readable", place, promised, seen, made, read)


def _unlike(resource: Resource, made: Exchange, read: Exchange) -> list[tuple[str, Any, Any]]:
    """Members that the create acknowledged as sent and the read shows otherwise: (place, sent, read)."""
    found = []
    answer, later = subjects.shown(made), subjects.shown(read)
    for place, sent in pointer.leaves(made.request.json()):
        names = pointer.tokens(place)
        if not names or is_secret_name(names[-1]) or any(name.isdigit() for name in names):
            continue
        told, got = shown_at(resource, place, answer), shown_at(resource, place, later)
        if told is None or got is None or told != got:
            continue
        acknowledged, kept = pointer.get(answer, told), pointer.get(later, got)
        if alike(sent, acknowledged) and sent == acknowledged and alike(sent, kept) and not equal(sent, kept):
            found.append((place, sent, kept))
    return found


def _listed(look: _Look) -> None:
    """What was made stands in the whole list; missed only by two walks, with the thing there after each."""
    walks = [each(look.exchanges, word) for word in (words.LISTED, words.LISTED_LATER)]
    if not walks[0]:
        return
    known = parts(walks[0][0])[1]
    if any(known in _ids(look.resource, page) for walk in walks for page in walk):
        look.examined += 1
        return
    still = each(look.exchanges, words.FOUND_BY_ID)
    if len(still) < len(walks) or not all(succeeded(read) for read in still):
        return
    look.examined += 1
    pages = len(walks[1])
    look.found(
        "resource.not-listed",
        "",
        f"What {look.resource.create} makes stands in {look.operation.id}.",
        f"It can be read by its id and stands on none of the {pages} page{'s' if pages > 1 else ''} of the whole list.",
        look.first(words.MADE),
        *walks[1][-1:],
        still[-1],
    )


def _ids(resource: Resource, page: Exchange) -> set[str]:
    return ids(pointer.get(subjects.shown(page), resource.items), resource.id)


def _update_shows(look: _Look) -> None:
    """What an update wrote is what is read after it, and where that is so a zero too."""
    before, shown = look.first(words.BEFORE), look.first(words.SHOWN_LATER) or look.first(words.SHOWN)
    _written(look, before, look.first(words.UPDATED), shown)
    afterwards = {parts(read)[1]: read for read in each(look.exchanges, words.ZERO_SHOWN)}  # the last of each place
    for zero in each(look.exchanges, words.ZERO):
        after = afterwards.get(parts(zero)[1])
        if succeeded(zero) and after is not None and not look.findings:
            _written(look, shown, zero, after)
            shown = after


def _written(look: _Look, before: Exchange | None, updated: Exchange | None, shown: Exchange | None) -> None:
    """One update, with the reads before and after it."""
    if updated is None or not look.answered(updated):
        return
    if not succeeded(updated):
        look.reasons.append(f"{look.operation.id} answered {updated.status} to a body that fits its schema")
        return
    if shown is None or not look.answered(shown) or subjects.shown(shown) is None:
        return
    _, place, at = parts(updated)
    sent, old, new = (
        pointer.get(updated.request.json(), place),
        pointer.get(subjects.shown(before), at),
        pointer.get(subjects.shown(shown), at),
    )
    acknowledged = equal(pointer.get(subjects.shown(updated), at), sent)
    look.examined += 1
    if alike(old, new) and new == old and not equal(new, sent) and (look.resource.declared or acknowledged):
        promised = f"What {look.operation.id} writes is what {look.resource.read} shows."
        seen = f"{place} was written as {sent!r}, answered {updated.status}, and is still {old!r}."
        look.found("resource.update-lost", place, promised, seen, before, updated, shown)
