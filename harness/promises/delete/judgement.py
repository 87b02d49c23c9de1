"""What the answers of the cases of `delete` say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.exchange import Outcome
from harness.finding import Severity
from harness.promises import subject as subjects
from harness.promises.delete import steps as words
from harness.promises.delete.terms import CONFLICT, FREE, KEPT, KEY, terms
from harness.promises.look import Look
from harness.promises.paging import names_of, paging
from harness.promises.planting import source
from harness.promises.resource.steps import each, first, parts, settled, succeeded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.promises.delete.terms import Terms
    from harness.verdict import Verdict

CREATED = 201
DENIED = {401, 403}
FILES = (words.FILE_LATER, words.FILE_AFTER)
TITLES: Mapping[str, tuple[str, Severity]] = {
    "delete.read": ("leaves the thing where it can be read", Severity.HIGH),
    "delete.listed": ("leaves the thing in a list", Severity.HIGH),
    "delete.counted": ("leaves the thing counted", Severity.MEDIUM),
    "delete.again": ("answers a second delete otherwise than promised", Severity.MEDIUM),
    "delete.changed": ("lets a deleted thing be changed", Severity.HIGH),
    "delete.used": ("lets a deleted thing be referred to", Severity.HIGH),
    "delete.child": ("does with what lies under the thing otherwise than promised", Severity.HIGH),
    "delete.in-use": ("deletes what is in use, or refuses it otherwise than promised", Severity.HIGH),
    "delete.effect": ("refuses, and changes the thing all the same", Severity.HIGH),
    "delete.unique": ("does with a unique value otherwise than promised", Severity.MEDIUM),
    "delete.file": ("leaves a file of the thing where it can be fetched", Severity.HIGH),
    "delete.restore": ("cannot be taken back as promised", Severity.HIGH),
}


@dataclass(slots=True)
class _Case:
    """One judgement under way: the terms, and what was sent."""

    contract: Contract
    terms: Terms
    look: Look
    exchanges: Sequence[Exchange]

    def first(self, word: str) -> Exchange | None:
        """The first exchange of a word."""
        return first(self.exchanges, word)

    @property
    def deleted(self) -> Exchange | None:
        """The delete, where it was answered with success."""
        found = self.first(words.DELETED)
        return found if succeeded(found) else None


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Judges whichever of the cases the exchanges hold."""
    look = Look(KEY, operation, TITLES)
    told = terms(contract, operation)
    if told is not None:
        case = _Case(contract, told, look, settled(exchanges))
        for law in LAWS:
            law(case)
    return look.verdict()


def _done(case: _Case) -> None:
    deleted = case.first(words.DELETED)
    if deleted is not None and case.look.answered(deleted) and not succeeded(deleted):
        case.look.reasons.append(f"{case.look.operation.id} answered {deleted.status} to one that may delete")


def _gone(case: _Case) -> None:
    """What was deleted is not read; of an undeclared resource, not as it was."""
    before, read = case.first(words.BEFORE), case.first(words.GONE_LATER) or case.first(words.GONE)
    if case.deleted is None or read is None or not case.look.answered(read):
        return
    case.look.examined += 1
    wanted = " or ".join(map(str, case.terms.gone))
    promised = f"After {case.look.operation.id} a read is answered {wanted}."
    same = subjects.shown(before) == subjects.shown(read)
    seen = f"{read.operation} answered {read.status}."
    if succeeded(read) and (case.terms.strict or same):
        case.look.found("delete.read", "", promised, seen, case.deleted, read)
    elif not succeeded(read) and "gone" in case.terms.told and read.status not in case.terms.gone:
        case.look.found("delete.read", "status", promised, seen, case.deleted, read, severity=Severity.LOW)


def _unlisted(case: _Case) -> None:
    """What a list, or one of its filters, showed before it shows no more."""
    if case.deleted is None:
        return
    known = parts(case.deleted)[1]
    shown: dict[str, list[Exchange]] = {}
    for page in each(case.exchanges, words.UNLISTED):
        shown.setdefault(parts(page)[1], []).append(page)
    for name, pages in shown.items():
        listing = case.contract.by_id.get(pages[0].operation)
        if listing is None or not all(case.look.answered(page) for page in pages):
            continue
        case.look.examined += 1
        shape = paging(case.contract, listing)
        origin = source(case.contract, listing)
        place = origin.id if origin and origin.resource == case.terms.resource else case.terms.resource.id
        still = next((page for page in pages if known in names_of(shape.items_of(page), place)), None)
        if still is not None:
            promised = f"After {case.look.operation.id} the thing is in no list."
            case.look.found("delete.listed", name, promised, f"{name} still shows it.", case.deleted, still)


def _again(case: _Case) -> None:
    again = case.first(words.AGAIN)
    if again is None or not case.look.answered(again):
        return
    case.look.examined += 1
    wanted = case.terms.again
    told = "again" in case.terms.told
    if again.status != wanted and (told or again.outcome is Outcome.OK):
        promised = f"A second {case.look.operation.id} is answered {wanted}."
        severity = None if again.outcome is Outcome.OK else Severity.LOW
        seen = f"It was answered {again.status}."
        case.look.found("delete.again", "", promised, seen, case.deleted, again, severity=severity)


def _written(case: _Case) -> None:
    """A deleted thing takes no write that a living one took; a PUT that makes it anew (201) is no update."""
    living, read = case.first(words.WROTE), case.first(words.GONE)
    if living is not None and not succeeded(living):
        case.look.reasons.append(f"{living.operation} answered {living.status or living.error} to a living thing")
        return
    for wrote in each(case.exchanges, words.WROTE_AFTER):
        if not case.look.answered(wrote):
            continue
        case.look.examined += 1
        hidden = case.terms.strict or (read is not None and read.status in case.terms.gone)
        anew = wrote.status == CREATED and living is None
        if succeeded(wrote) and not anew and hidden:
            promised = f"After {case.look.operation.id} nothing is written to the thing."
            seen = f"{wrote.operation} answered {wrote.status}."
            case.look.found("delete.changed", wrote.operation, promised, seen, case.deleted, read, wrote)


def _referred(case: _Case) -> None:
    """What could be referred to while it lived cannot after its delete."""
    used, after, read = case.first(words.USED), case.first(words.USED_AFTER), case.first(words.GONE)
    if after is None or not case.look.answered(after) or read is None or read.status not in case.terms.gone:
        return
    if not succeeded(used):
        case.look.reasons.append(f"{after.operation} refused to refer to a living thing")
        return
    case.look.examined += 1
    if succeeded(after):
        promised = f"After {case.look.operation.id} no {after.operation} can refer to the thing."
        seen = f"{after.operation} answered {after.status} to a body that refers to it."
        case.look.found("delete.used", after.operation, promised, seen, case.deleted, read, after)


def _child(case: _Case) -> None:
    """What lies under the thing is gone with it, or kept as it was."""
    before, after = case.first(words.CHILD_BEFORE), case.first(words.CHILD_AFTER)
    if after is None or not succeeded(before) or not case.look.answered(after):
        return
    name = parts(after)[1]
    wanted = next(child["becomes"] for child in case.terms.told["children"] if child["resource"] == name)
    case.look.examined += 1
    if succeeded(after) != (wanted == KEPT):
        promised = f"After {case.look.operation.id} a {name} under the thing is {wanted}."
        seen = f"{after.operation} answered {after.status}."
        case.look.found("delete.child", name, promised, seen, case.deleted, before, after)


def _in_use(case: _Case) -> None:
    """A thing in use is not deleted, and is as it was; once it is not, it is."""
    refused, kept = case.first(words.REFUSED), case.first(words.KEPT)
    if refused is None or not case.look.answered(refused):
        return
    used = case.terms.told["used"]
    wanted = used.get("status", CONFLICT)
    case.look.examined += 1
    promised = f"While a {used['resource']} uses it, {case.look.operation.id} is refused with {wanted}."
    if refused.status != wanted:
        severity = Severity.LOW if refused.outcome is Outcome.REFUSED else None
        seen = f"It was answered {refused.status}."
        case.look.found("delete.in-use", "", promised, seen, case.first(words.CHILD), refused, severity=severity)
    if refused.outcome is not Outcome.REFUSED or kept is None or not case.look.answered(kept):
        return
    case.look.examined += 1
    states = [subjects.shown(case.first(word)) for word in (words.BEFORE, words.KEPT, words.KEPT_AGAIN)]
    if not succeeded(kept):
        seen = f"Then {kept.operation} answered {kept.status}."
    elif None not in states and (places := subjects.lasting(*states)):
        seen = f"Then {', '.join(places)} had changed."
    else:
        return
    before, again = case.first(words.BEFORE), case.first(words.KEPT_AGAIN)
    case.look.found("delete.effect", "", "A refused delete changes nothing.", seen, before, refused, kept, again)


def _unique(case: _Case) -> None:
    """A unique value can be had again, or cannot, as promised; judged where it was refused while its thing lived."""
    taken, after = case.first(words.TAKEN), case.first(words.TAKEN_AFTER)
    if taken is None or not case.look.answered(taken):
        return
    unique = case.terms.told["unique"]
    refusal, member = unique.get("status", CONFLICT), unique["member"]
    case.look.examined += 1
    if taken.status != refusal:
        promised = f"Two things with one {member} are refused with {refusal}."
        seen = f"It was answered {taken.status}."
        case.look.found("delete.unique", "two", promised, seen, case.first(words.MADE), taken)
        return
    if after is None or case.deleted is None or not case.look.answered(after):
        return
    case.look.examined += 1
    if succeeded(after) != (unique["becomes"] == FREE):
        promised = f"After {case.look.operation.id} its {member} is {unique['becomes']}."
        seen = f"{after.operation} answered {after.status} to the same value."
        case.look.found("delete.unique", "", promised, seen, case.first(words.MADE), case.deleted, after)


def _counted(case: _Case) -> None:
    """A count is one less than before."""
    before, after = case.first(words.COUNTED), case.first(words.COUNTED_AFTER)
    if before is None or after is None or not (case.look.answered(before) and case.look.answered(after)):
        return
    told = case.terms.told["counts"][int(parts(after)[1])]
    counts: list[Any] = [pointer.get(subjects.shown(page), told["member"]) for page in (before, after)]
    if not all(isinstance(count, int) for count in counts):
        case.look.reasons.append(f"{told['operation']} shows no count at {told['member']}")
        return
    case.look.examined += 1
    if counts[1] != counts[0] - 1:
        promised = f"After {case.look.operation.id} {told['member']} of {told['operation']} is one less."
        seen = f"It was {counts[0]} before and {counts[1]} after."
        case.look.found("delete.counted", told["operation"], promised, seen, before, case.deleted, after)


def _restored(case: _Case) -> None:
    """What was brought back is read; the version and times that a change sets may be others."""
    restored, shown = case.first(words.RESTORED), case.first(words.SHOWN)
    if restored is None or not case.look.answered(restored):
        return
    case.look.examined += 1
    promised = f"{restored.operation} brings a deleted thing back."
    if not succeeded(restored):
        seen = f"It was answered {restored.status}."
        case.look.found("delete.restore", "", promised, seen, case.deleted, restored)
    elif shown is not None and case.look.answered(shown) and not succeeded(shown):
        seen = f"Then {shown.operation} answered {shown.status}."
        case.look.found("delete.restore", "", promised, seen, case.deleted, restored, shown)


def _filed(case: _Case) -> None:
    """What was fetched before is not fetched after, nor a little later; any refusal but of how often will do."""
    later, after = ({parts(item)[1]: item for item in each(case.exchanges, word)} for word in FILES)
    for fetched in each(case.exchanges, words.FILE):
        name, path = parts(fetched)[1], fetched.request.path
        last = later.get(name) or after.get(name)
        if not succeeded(fetched):
            case.look.reasons.append(f"{path} gave {fetched.status or fetched.error} before its thing was deleted")
        elif last is not None and (last.status in DENIED or case.look.answered(last)):
            case.look.examined += 1
            if succeeded(last) and _same(fetched, last):
                promised = f"After {case.look.operation.id} no file of the thing can be fetched."
                seen = f"GET {path} answered {last.status} with the same bytes."
                case.look.found("delete.file", "", promised, seen, fetched, case.deleted, after.get(name), last)
                return


def _same(one: Exchange, other: Exchange) -> bool:
    """Whether two answers have the same content, which a picture for all that is not there has not."""
    return one.response is not None and other.response is not None and one.response.body == other.response.body


LAWS = (_done, _gone, _unlisted, _again, _written, _referred, _child, _in_use, _unique, _counted, _restored, _filed)
