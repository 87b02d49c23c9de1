"""What the answers of the cases of `version` say."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.exchange import Outcome
from harness.promises import precondition
from harness.promises import subject as subjects
from harness.promises.version import steps as words
from harness.promises.version.look import Look, same_version, value_of
from harness.promises.version.steps import KEY, Written, written
from harness.promises.writing import equal
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange

TOO_MANY_REQUESTS = 429
GONE = {404, 410}
PRECONDITION_STATUSES = {409, 412, 428}
Write = tuple[Written, "Exchange"]


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Judges a stale write, a race or a write without a version, whichever the exchanges hold."""
    told = contract.promise(KEY, operation)
    if not told:
        return Verdict(KEY, operation.id)
    look = Look(operation, told, {exchange.request.step: exchange for exchange in exchanges})
    writes = [(said, exchange) for exchange in exchanges if (said := written(exchange)) is not None]
    by_word = {said.word: (said, exchange) for said, exchange in writes}
    if words.FIRST in by_word:
        _stale(look, by_word)
    if words.UNVERSIONED in by_word and "missing" in told:
        _missing(look, *by_word[words.UNVERSIONED])
    _others(look, writes)
    rounds: dict[int, list[Write]] = defaultdict(list)
    for said, exchange in writes:
        if said.word == words.WRITER:
            rounds[said.round].append((said, exchange))
    for number, group in rounds.items():
        _race(look, number, group)
    findings = tuple({finding.fingerprint: finding for finding in look.findings}.values())
    return Verdict(KEY, operation.id, look.examined, findings, "; ".join(dict.fromkeys(look.reasons)))


def _others(look: Look, writes: Sequence[Write]) -> None:
    """Each write of another member that changed it raised the version."""
    before = look.by_step.get(words.SHOWN_SECOND)
    for said, write in writes:
        after = look.by_step.get(f"{words.SHOWN_OTHER}{said.round}")
        if said.word != words.OTHER or write.outcome is not Outcome.OK:
            continue
        if before is None or after is None or subjects.shown(before) is None or subjects.shown(after) is None:
            return
        form = look.form(said.form)
        if not equal(value_of(before, said.shown), value_of(after, said.shown)):
            look.examined += 1
            version = precondition.seen(form, after)
            if same_version(precondition.seen(form, before), version):
                look.found(
                    "version.not-raised",
                    said.form,
                    "changes the thing and not its version",
                    f"{said.place} changed and {form['from']} is {version!r} before and after.",
                    before, write, after,
                )  # fmt: skip
        before = after


def _stale(look: Look, by_word: Mapping[str, Write]) -> None:
    said, first = by_word[words.FIRST]
    form = look.form(said.form)
    if first.outcome is not Outcome.OK:
        _refused_alone(look, by_word)
        return
    seen, shown = look.by_step.get(words.SEEN), look.by_step.get(words.SHOWN_FIRST)
    if words.SECOND not in by_word or seen is None or subjects.shown(shown) is None:
        look.reasons.append("what the first write did could not be read")
        return
    assert shown is not None, "it shows a body"
    if equal(value_of(shown, said.shown), value_of(seen, said.shown)):
        look.reasons.append(f"the first write was accepted and {said.place} is as before")
        return
    old, new = precondition.seen(form, seen), precondition.seen(form, shown)
    look.examined += 1
    if same_version(old, new):
        look.found(
            "version.not-raised",
            said.form,
            "changes the thing and not its version",
            f"{said.place} changed and {form['from']} is {new!r} before and after.",
            seen, first, shown,
        )  # fmt: skip
        return
    _second(look, form, by_word[words.SECOND], (seen, first, shown))


def _refused_alone(look: Look, by_word: Mapping[str, Write]) -> None:
    """The first write was refused; with a version read anew and no other writer it must not be."""
    said, first = by_word[words.FIRST]
    stale = look.form(said.form)["stale"]
    again = by_word[words.FIRST_AGAIN][1] if words.FIRST_AGAIN in by_word else None
    if again is None or first.status != stale or again.status != stale:
        look.reasons.append(f"a write with the newest version gave {_answer(again or first)}")
        return
    look.examined += 1
    look.found(
        "version.no-winner",
        f"{said.form} alone",
        "refuses the newest version",
        f"Two writes, each with the version just read and nobody beside it, were refused with {stale}.",
        first, again,
    )  # fmt: skip


def _second(look: Look, form: Mapping[str, Any], write: Write, before: tuple[Exchange, ...]) -> None:
    said, second = write
    shown = look.by_step.get(words.SHOWN_SECOND)
    witnesses = (*before, second, *((shown,) if shown else ()))
    if second.outcome is Outcome.UNKNOWN or second.status == TOO_MANY_REQUESTS:
        look.reasons.append(f"the stale write gave {_answer(second)}")
    elif second.outcome is Outcome.OK:
        after = f"; afterwards {said.place} was {value_of(shown, said.shown)!r}" if shown else ""
        look.found(
            "version.lost-update",
            said.form,
            "accepts a stale version",
            f"After another's write the old version was accepted with {second.status}{after}.",
            *witnesses,
        )
    elif acted := _acted(said, second, shown):
        look.found(
            "version.lost-update",
            f"{said.form} refused-but-written",
            "refuses a stale version and writes all the same",
            f"The stale write was answered {second.status}, and {acted}.",
            *witnesses,
        )
    elif second.status in PRECONDITION_STATUSES - {form["stale"]}:
        look.found(
            "version.status",
            said.form,
            "refuses a stale version otherwise than promised",
            f"The stale write was answered {second.status}.",
            *witnesses,
        )
    elif second.status != form["stale"]:
        look.reasons.append(f"the stale write was refused with {second.status}, for another reason")


def _acted(said: Written, refused: Exchange, shown: Exchange | None) -> str:
    """What a refused write did all the same; empty where it did nothing, or where that cannot be seen."""
    if not refused.request.body:
        return "the thing is gone" if shown is not None and shown.status in GONE else ""
    value, sent = value_of(shown, said.shown), pointer.get(refused.request.json(), said.place)
    if value is pointer.MISSING or sent is pointer.MISSING:  # a form, or a read that shows nothing
        return ""
    return f"{said.place} has its value" if equal(value, sent) else ""


def _missing(look: Look, said: Written, write: Exchange) -> None:
    if write.outcome is Outcome.UNKNOWN or write.status == TOO_MANY_REQUESTS:
        look.reasons.append(f"the write without a version gave {_answer(write)}")
        return
    wanted = look.told["missing"]
    if write.outcome is Outcome.OK:
        look.found(
            "version.missing-accepted",
            words.UNVERSIONED,
            "accepts a write without a version",
            f"A write of {said.place} without a version was answered {write.status}.",
            write,
        )
    elif write.status in PRECONDITION_STATUSES - {wanted}:
        look.found(
            "version.status",
            words.UNVERSIONED,
            "refuses a missing version otherwise than promised",
            f"A write without a version was answered {write.status}.",
            write,
        )
    elif write.status != wanted:
        look.reasons.append(f"the write without a version was refused with {write.status}, for another reason")
        return
    look.examined += 1


def _race(look: Look, number: int, group: Sequence[Write]) -> None:
    said = group[0][0]
    form = look.form(said.form)
    winners = [exchange for _, exchange in group if exchange.outcome is Outcome.OK]
    unsure = [e for _, e in group if e.outcome is Outcome.UNKNOWN or (not winners and e.status == TOO_MANY_REQUESTS)]
    if len(winners) > 1:
        look.examined += 1
        look.found(
            "version.two-winners",
            said.form,
            "lets several writers of one version win",
            f"{len(winners)} of {len(group)} writes with one version were accepted.",
            *winners,
        )
        return
    if unsure:
        look.reasons.append(f"in a race {len(unsure)} of {len(group)} writes gave {_answer(unsure[0])}")
        return
    if not winners:
        others = sorted({exchange.status for _, exchange in group} - {form["stale"]})
        if others:
            look.reasons.append(f"in a race no write was accepted; some were refused with {others[0]}")
            return
        look.examined += 1
        look.found(
            "version.no-winner",
            said.form,
            "lets none of several writers win",
            f"All {len(group)} writes with the newest version were refused with {form['stale']}.",
            *(exchange for _, exchange in group),
        )
        return
    look.examined += 1
    _won(look, number, group, winners[0])


def _won(look: Look, number: int, group: Sequence[Write], winner: Exchange) -> None:
    """One writer won: the thing must show its value and a new version."""
    said = group[0][0]
    form = look.form(said.form)
    shown = look.by_step.get(f"{words.SHOWN}|{number}")
    seen = look.by_step.get(f"{words.SHOWN}|{number - 1}" if number else words.SEEN)
    value, own = value_of(shown, said.shown), pointer.get(winner.request.json(), said.place)
    if shown is None or value is pointer.MISSING:
        return
    losers = [e for _, e in group if e is not winner and equal(value, pointer.get(e.request.json(), said.place))]
    if losers and not equal(value, own):
        look.found(
            "version.lost-update",
            f"{said.form} loser-written",
            "keeps the body of a writer that it refused",
            f"{said.place} is {value!r}, sent by a write refused with {losers[0].status}; the winner sent {own!r}.",
            winner, losers[0], shown,
        )  # fmt: skip
    elif seen is not None and same_version(precondition.seen(form, seen), precondition.seen(form, shown)):
        look.found(
            "version.not-raised",
            said.form,
            "changes the thing and not its version",
            f"{form['from']} is {precondition.seen(form, shown)!r} before and after.",
            seen, winner, shown,
        )  # fmt: skip


def _answer(exchange: Exchange) -> str:
    return str(exchange.status) if exchange.response is not None else exchange.error or "no answer"
