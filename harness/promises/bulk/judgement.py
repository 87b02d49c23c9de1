"""What the answers of the case of `bulk` say: whether each item is accounted for, once, and as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.exchange import Outcome
from harness.finding import Severity
from harness.promises import subject as subjects
from harness.promises import wrong_values
from harness.promises.bulk import answer as answers
from harness.promises.bulk.cases import GONE
from harness.promises.bulk.reworded import MOST_ALONE
from harness.promises.bulk.steps import ALONE, BODIES, IDS, KEY, LAST, MIXED, PLAIN, READ, READ_LATER
from harness.promises.look import Look
from harness.promises.resource.steps import each, parts, settled, succeeded
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.promises.bulk.answer import Account

COUNTS, LOST, UNKNOWN, REFUSED = "bulk.counts", "bulk.lost", "bulk.unknown", "bulk.refused"
# What is answered to a call that is not as it should be: not who sent it, nor that it came at a bad time.
REFUSALS = {400, 413, 415, 422}
TITLES: Mapping[str, tuple[str, Severity]] = {
    COUNTS: ("does not account for each item once", Severity.HIGH),
    LOST: ("tells things as made that are not there", Severity.HIGH),
    UNKNOWN: ("tells an id that nothing has as done", Severity.MEDIUM),
    REFUSED: ("refuses whatever list it is sent", Severity.MEDIUM),
}


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Judges each call that was not refused as a whole, and what was read of the things that it told as made."""
    told = contract.promise(KEY, operation)
    if not isinstance(told, dict):
        return Verdict(KEY, operation.id)
    resource = contract.resource(told.get("resource", ""))
    look = Look(KEY, operation, TITLES)
    exchanges = settled(exchanges)
    plain = [*each(exchanges, PLAIN), *each(exchanges, LAST)]
    if any(map(succeeded, plain)):
        plain = [call for call in plain if call.outcome is not Outcome.REFUSED]
    _taken(look, contract, told, exchanges, plain)
    for call in (*each(exchanges, MIXED), *plain):
        sent = pointer.get(call.request.json(), told["items"])
        if _tells(look, call) and isinstance(sent, list):
            account = answers.read(told, subjects.shown(call), sent, resource.id if resource else "")
            _judged(look, call, told, sent, account)
            if resource is not None:
                _kept(look, call, exchanges, [*answers.made_ids(told, account, resource.id)])
    return look.verdict()


def _taken(
    look: Look, contract: Contract, told: Mapping[str, Any], exchanges: Sequence[Exchange], plain: Sequence[Exchange]
) -> None:
    """Of calls whose items are all as they should be one is taken.

    That they are is known of bodies which the create of their resource took one by one, and of ids where one at fault
    is told as failed: elsewhere the whole may be refused for what state the things are in.
    """
    last = next(iter(each(exchanges, LAST)), None)
    if last is None or any(call.status not in REFUSALS for call in plain):
        return
    if any(call.outcome is not Outcome.REFUSED for call in each(exchanges, MIXED)):
        return
    sent = pointer.get(last.request.json(), told["items"])
    alone = each(exchanges, ALONE)
    bodies = parts(last)[1] == BODIES
    sure = bodies and isinstance(sent, list) and len(alone) == len(sent) > 0 and all(map(succeeded, alone))
    if not sure and (bodies or told.get("unknown") != "failed" or _open(look.operation, contract, told, plain)):
        return
    look.examined += 1
    items = "items that its create took one by one" if bodies else "ids of things that were just made"
    seen = f"{len(plain)} calls with lists of {items} were answered {', '.join(str(call.status) for call in plain)}."
    promised = f"{look.operation.id} takes lists that fit its schema from who may call it."
    look.found(REFUSED, "", promised, seen, *[call for call in plain if call is not last][:3], last, *alone[:1])


def _open(operation: Operation, contract: Contract, told: Mapping[str, Any], refused: Sequence[Exchange]) -> bool:
    """Whether a refusal of ids may be about their state, or about words that were not tried.

    It may where it tells of the items, or where beside the list stand more members than are tried, or a choice, with
    which only some things or members go.
    """
    places = [told[name] for name in (*answers.COUNTS, "results") if name in told]
    bodies = [call.response.json() for call in refused if call.response is not None]
    if any(pointer.get(body, place) is not pointer.MISSING for body in bodies for place in places):
        return True
    declared = operation.json_body()
    members = wrong_values.joined(contract, declared.schema if declared else {}).get("properties", {})
    beside = [contract.schema(shape) for name, shape in members.items() if [name] != pointer.tokens(told["items"])]
    choices = [shape for shape in beside if {"enum", "const"} & set(shape) or shape.get("type") == "boolean"]
    return bool(choices) or len(beside) > MOST_ALONE


def _tells(look: Look, call: Exchange) -> bool:
    """Whether the answer tells of items; notes why not. One that refuses all, as one is wrong, says nothing of them."""
    if not look.answered(call):
        return False
    if call.outcome is Outcome.REFUSED:
        if parts(call)[0] in {PLAIN, LAST}:
            look.reasons.append(f"{call.operation} answered {call.status} to items that are all as they should be")
        return False
    if not succeeded(call):
        look.reasons.append(f"{call.operation} answered {call.status}, which tells nothing of its items yet")
    return succeeded(call)


def _judged(look: Look, call: Exchange, told: Mapping[str, Any], sent: Sequence[Any], account: Account) -> None:
    """The account of one answer; of the entries no more is said where the counts are wrong."""
    look.reasons += [f"{call.operation}: its answer tells nothing at {place or '/'}" for place in account.lacking]
    ids = parts(call)[1] == IDS
    before = len(look.findings)
    if account.counted:
        look.examined += 1
        _counts(look, call, sent, account, ids=ids)
    if account.entries is not None and len(look.findings) == before:
        _entries(look, call, told, sent, account)
    if ids and parts(call)[0] == MIXED and told.get("unknown") == "failed" and len(look.findings) == before:
        _unknown(look, call, told, sent, account)


def _counts(look: Look, call: Exchange, sent: Sequence[Any], account: Account, *, ids: bool) -> None:
    """Done, failed and skipped are all that was sent; where they are lists of ids, each is in one of them."""
    promised = f"{call.operation} tells each item as done or as failed."
    if account.total != len(sent):
        seen = f"{len(sent)} items were sent; it tells of {account.total} ({account.shown()})."
        look.found(COUNTS, "sum", promised, seen, call)
        return
    told = [tally.names for tally in account.tallies.values() if tally.names is not None]
    if not ids:
        return
    names = [name for part in told for name in part]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        look.found(COUNTS, "twice", promised, f"{_some(twice)} stands twice ({account.shown()}).", call)
    elif len(told) == len(account.tallies) and (neither := sorted({str(item) for item in sent} - set(names))):
        look.found(COUNTS, "neither", promised, f"{_some(neither)} stands nowhere ({account.shown()}).", call)


def _some(names: Sequence[str]) -> str:
    return f"{names[0]} (and {len(names) - 1} more)" if len(names) > 1 else names[0]


def _entries(look: Look, call: Exchange, told: Mapping[str, Any], sent: Sequence[Any], account: Account) -> None:
    """An entry for each item, which has a thing or an error; as many of each as the counts say."""
    entries = account.entries or ()
    promised = f"{call.operation} answers for each item by itself."
    if "index" in told:
        known = [entry.index for entry in entries if isinstance(entry.index, int) and not isinstance(entry.index, bool)]
        if len(known) < len(entries):
            look.reasons.append(f"{call.operation}: an entry of its answer has no index at {told['index']}")
            return
        if sorted(known) == list(range(1, len(sent) + 1)):
            look.reasons.append(f"{call.operation} counts its entries from 1; leave out x-promises.bulk.index")
            return
        look.examined += 1
        if sorted(known) != list(range(len(sent))):
            seen = f"{len(sent)} items were sent; its entries are of {', '.join(map(str, sorted(known))) or 'none'}."
            look.found(COUNTS, "index", promised, seen, call)
            return
    else:
        look.examined += 1
        if len(entries) != len(sent):
            seen = f"{len(sent)} items were sent; it has {len(entries)} entries."
            look.found(COUNTS, "index", promised, seen, call)
            return
    if "thing" in told and "error" in told:
        _each(look, call, account, skips="skipped" in told)


def _each(look: Look, call: Exchange, account: Account, *, skips: bool) -> None:
    entries = account.entries or ()
    both = [number for number, entry in enumerate(entries) if entry.made and entry.wrong]
    neither = [number for number, entry in enumerate(entries) if not entry.made and not entry.wrong]
    made = sum(entry.made for entry in entries)
    promised = f"An entry of {call.operation} has the thing that was made, or why not."
    if both or (neither and not skips):
        seen = f"Entry {(both or neither)[0]} has {'both' if both else 'neither'}."
        look.found(COUNTS, "entry", promised, seen, call)
    elif account.counted and account.tallies["done"].count != made:
        seen = f"{made} of {len(entries)} entries have a thing; its counts are: {account.shown()}."
        look.found(COUNTS, "entries", promised, seen, call)


def _unknown(look: Look, call: Exchange, told: Mapping[str, Any], sent: Sequence[Any], account: Account) -> None:
    """The id that nothing has, which is the last that was sent, is not told as done."""
    wanted, others = str(sent[-1]), [account.tallies[name] for name in ("failed", "skipped") if name in account.tallies]
    if account.counted and all(tally.names is not None for tally in others):
        fine = any(wanted in (tally.names or ()) for tally in others)
    elif account.counted:
        fine = sum(tally.count for tally in others) > 0
    else:
        of_it = [entry for entry in account.entries or () if entry.index == len(sent) - 1] or (account.entries or ())[
            -1:
        ]
        if "error" not in told or not of_it:
            return
        fine = of_it[0].wrong
    look.examined += 1
    if not fine:
        counts = f" ({account.shown()})" if account.counted else ""
        seen = f"Nothing has the last of {len(sent)} ids, and it is not told as failed{counts}."
        look.found(UNKNOWN, "", f"{call.operation} tells an id that nothing has as failed.", seen, call)


def _kept(look: Look, call: Exchange, exchanges: Sequence[Exchange], made: Sequence[str]) -> None:
    """What was told as made is read by who made it, at once or after a while."""
    for read in each(exchanges, READ):
        known = parts(read)[1]
        later = next((item for item in each(exchanges, READ_LATER) if parts(item)[1] == known), read)
        if known not in made or not look.answered(later):
            continue
        if later.request.identity.name != call.request.identity.name:
            continue  # another than its maker had to read it, who need not see it
        if later is read and read.status in GONE:
            continue  # it was not given the time that a second read gives
        if not succeeded(later) and later.status not in GONE:
            continue
        look.examined += 1
        if later.status in GONE:
            seen = f"{len(made)} things were told as made; {later.operation} answered {later.status} to one of them."
            promised = f"What {call.operation} tells as made is read by {later.operation}."
            look.found(LOST, "", promised, seen, call, read, later)
