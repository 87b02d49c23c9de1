"""What the answers of the cases of `idempotency` say."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.exchange import Outcome
from harness.finding import Finding, Severity
from harness.promises.idempotency import model
from harness.promises.idempotency import steps as words
from harness.promises.idempotency.annotation import ANSWER, FORGOTTEN, KEPT, KEY, Told, told
from harness.promises.idempotency.effects import effects
from harness.promises.idempotency.ground import thing
from harness.promises.idempotency.steps import Said, about, said
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange

MAX_WITNESSES = 10
GONE = {404, 410}
SAME = {words.TOGETHER, words.FIRST, words.AGAIN, words.CUT, words.AFTER_CUT}
CODES = {
    model.MANY: ("idempotency.many-effects", "has several effects under one key", Severity.CRITICAL),
    model.OTHER: ("idempotency.other-answer", "answers a call sent again otherwise than promised", Severity.MEDIUM),
    model.AGAIN: ("idempotency.refused-again", "refuses what it did when it is sent again", Severity.MEDIUM),
    model.NONE: ("idempotency.no-effect", "says that it did what is not done", Severity.HIGH),
}
WHOSE = {"two": "another caller", "abroad": "a caller of another tenant", "long": "another long key"}
Sent = tuple[Said, "Exchange"]


@dataclass(slots=True)
class _Look:
    """One judgement under way."""

    operation: Operation
    told: Told
    calls: Sequence[Sent]
    counts: Mapping[str, int | None]
    missing: frozenset[str]
    examined: int = 0
    findings: list[Finding] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def found(
        self, code: str, kind: str, title: str, severity: Severity, promised: str, seen: str, *witnesses: Exchange
    ) -> None:
        """Notes a finding."""
        self.findings.append(
            Finding(
                code,
                f"{self.operation.id} {title}",
                severity,
                self.operation.id,
                kind=kind,
                promised=promised,
                seen=f"{seen[:1].upper()}{seen[1:]}.",
                witnesses=tuple(exchange.id for exchange in witnesses)[:MAX_WITNESSES],
            )
        )

    def told_nothing(self, exchange: Exchange) -> bool:
        """Whether an answer says nothing of the key: none, a server error, a limit, an ended session; with its reason.

        Of what may have happened nothing is said either.
        """
        silent = exchange.outcome is Outcome.UNKNOWN or exchange.status in model.SILENT
        if silent:
            self.reasons.append(f"{exchange.operation} gave {exchange.status or exchange.error}")
        return silent


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Judges the calls of one case, whichever it is, by their steps."""
    declared = told(contract, operation)
    if declared is None:
        return Verdict(KEY, operation.id)
    calls = [(known, exchange) for exchange in exchanges if (known := said(exchange)) is not None]
    marks = {known.body: (known, exchange) for known, exchange in calls}
    counts = {body: effects(contract, operation, declared, *sent, exchanges) for body, sent in marks.items()}
    gone = frozenset(about(e, words.READ) for e in exchanges if e.status in GONE and about(e, words.READ))
    look = _Look(operation, declared, calls, counts, gone)
    by_key: dict[str, list[Sent]] = defaultdict(list)
    for known, exchange in calls:
        by_key[known.key].append((known, exchange))
    for group in by_key.values():
        _key(look, group)
    findings = tuple({finding.fingerprint: finding for finding in look.findings}.values())
    return Verdict(KEY, operation.id, look.examined, findings, "; ".join(dict.fromkeys(look.reasons)))


def _key(look: _Look, group: Sequence[Sent]) -> None:
    """The calls with one key."""
    same = [(known, exchange) for known, exchange in group if known.word in SAME]
    bodies = list(dict.fromkeys(known.body for known, _ in same))
    if len(bodies) > 1:
        _two_bodies(look, same)
    elif bodies:
        _one_body(look, bodies[0], [exchange for _, exchange in same])
    for known, exchange in group:
        if known.word == words.OTHER_BODY:
            _other_body(look, known, exchange, [item for _, item in same])
        elif known.word == words.OTHER_CALLER:
            _other_caller(look, known, exchange)
        elif known.word == words.AFTER_REFUSAL:
            _after_refusal(look, known, exchange)
        elif known.word in {words.MISSING, words.TOO_LONG}:
            _bad_key(look, known, exchange)


def _one_body(look: _Look, body: str, calls: Sequence[Exchange]) -> None:
    if not any(call.outcome is Outcome.OK for call in calls):
        return  # the case says why it could not go on
    count = look.counts.get(body)
    if count == 0:
        look.reasons.append(f"the list does not show what {look.operation.id} made by what its body held")
    rule = model.Rule(look.told.replays == ANSWER, bool(look.told.replayed), look.told.in_progress)
    look.examined += len(calls) > 1
    told_calls = [_call(look.told, exchange) for exchange in calls]
    for fault in model.faults(told_calls, rule, count=count, absent=body in look.missing):
        code, title, severity = CODES[fault.word]
        promised = f"Calls with one {look.told.header} have one effect and are answered alike."
        look.found(code, fault.kind, title, severity, promised, fault.seen, *(calls[index] for index in fault.calls))


def _call(declared: Told, exchange: Exchange) -> model.Call:
    response = exchange.response
    answer = f"{response.status} {response.json() or response.body!r}" if response is not None else ""
    replayed = bool(declared.replayed and response is not None and response.header(declared.replayed) is not None)
    return model.Call(
        exchange.outcome,
        exchange.status,
        exchange.sent_ns,
        exchange.done_ns,
        thing(declared, exchange),
        answer,
        replayed,
    )


def _two_bodies(look: _Look, calls: Sequence[Sent]) -> None:
    """One key with two bodies at one instant: no more than one body may have been taken, and once."""
    taken = {known.body: exchange for known, exchange in calls if exchange.outcome is Outcome.OK}
    counts = [look.counts.get(body) for body in dict.fromkeys(known.body for known, _ in calls)]
    effects = sum(count for count in counts if count)
    if not taken:
        return
    look.examined += 1
    promised = f"One {look.told.header} belongs to one body; with another it is {look.told.other_body}."
    if len(taken) > 1:
        seen = "two bodies with one key at one instant were both answered as a success"
        title = "takes two bodies under one key"
        look.found("idempotency.other-body", "at once", title, Severity.HIGH, promised, seen, *taken.values())
    elif effects > 1:
        seen = f"{effects} things are there after calls with one key and two bodies at one instant"
        code, title, severity = CODES[model.MANY]
        look.found(code, "two bodies", title, severity, promised, seen, *(exchange for _, exchange in calls))


def _other_body(look: _Look, known: Said, call: Exchange, before: Sequence[Exchange]) -> None:
    if not any(exchange.outcome is Outcome.OK for exchange in before) or look.told_nothing(call):
        return
    look.examined += 1
    first = next(exchange for exchange in before if exchange.outcome is Outcome.OK)
    wanted = look.told.other_body
    promised = f"The same {look.told.header} with another body is refused with {wanted}, and nothing is done."
    if call.outcome is Outcome.OK:
        old = bool(thing(look.told, call)) and thing(look.told, call) == thing(look.told, first)
        kind = "old answer" if old else "acted"
        did = "given the answer of the first body" if old else "done"
        seen = f"another body with the same key was {did}, with {call.status}"
        title = "takes another body under a used key"
        look.found("idempotency.other-body", kind, title, Severity.HIGH, promised, seen, first, call)
    elif look.counts.get(known.body):
        seen = f"another body with the same key was refused with {call.status}, and what it makes is there"
        title = "refuses another body under a used key and acts all the same"
        look.found("idempotency.other-body", "refused-but-done", title, Severity.HIGH, promised, seen, first, call)
    elif call.status != wanted:
        title = "refuses another body under a used key otherwise than promised"
        seen = f"it was refused with {call.status}"
        look.found("idempotency.status", "other body", title, Severity.LOW, promised, seen, first, call)


def _other_caller(look: _Look, known: Said, call: Exchange) -> None:
    """A key of the same text that is another key: it has its own effect, and tells nothing of the first."""
    whose = WHOSE[known.caller]
    firsts = [exchange for said_, exchange in look.calls if said_.word == words.FIRST]
    control = next((e for said_, e in look.calls if said_.word == words.CONTROL and said_.caller == known.caller), None)
    if not firsts or look.told_nothing(call):
        return
    promised = f"The {look.told.header} of {whose} is another key."
    first = firsts[0]
    own, theirs = thing(look.told, first), thing(look.told, call)
    if call.outcome is Outcome.OK and own and own == theirs:
        look.examined += 1
        title = f"gives {whose} the answer of the first"
        seen = f"{whose} was answered {call.status} with {own}, which the first call made"
        look.found("idempotency.shared-key", whose, title, Severity.CRITICAL, promised, seen, first, call)
    elif call.outcome is Outcome.OK:
        look.examined += 1
    elif control is None or control.outcome is not Outcome.OK:
        look.reasons.append(f"{whose} was refused with {call.status}, and with a key of its own too")
    else:
        look.examined += 1
        title = f"refuses {whose} a key that is not the first's"
        seen = f"{whose} was refused with {call.status}, and with a key that nobody had used it was not"
        look.found("idempotency.shared-key", f"{whose} refused", title, Severity.HIGH, promised, seen, first, call)


def _after_refusal(look: _Look, known: Said, call: Exchange) -> None:
    """A refusal left nothing, and its key may be sent again; or it is kept as any answer is: as declared."""
    control = next((exchange for item, exchange in look.calls if item.key == f"control {known.key}"), None)
    if look.told_nothing(call):
        return
    if control is None or control.outcome is not Outcome.OK:
        look.reasons.append(f"the call that was to follow a refusal gave {control.status if control else 'nothing'}")
        return
    look.examined += 1
    refused = call.outcome is Outcome.REFUSED
    before = [exchange for item, exchange in look.calls if item.word == words.REFUSED and item.key == known.key][:1]
    if refused and look.told.refusals == FORGOTTEN:
        seen = f"a call with the key of one that was refused got {call.status}, and with a new key it succeeded"
        promised = f"A refused call does not keep its {look.told.header}."
        title = "keeps the key of a refused call"
        look.found("idempotency.refusal", "poisoned", title, Severity.MEDIUM, promised, seen, *before, call)
    elif not refused and look.told.refusals == KEPT:
        seen = f"a call with the key of one that was refused succeeded with {call.status}"
        promised = f"A refused call keeps its {look.told.header}."
        title = "forgets the key of a refused call"
        look.found("idempotency.refusal", "forgotten", title, Severity.LOW, promised, seen, *before, call)


def _bad_key(look: _Look, known: Said, call: Exchange) -> None:
    """A call without a key, or with one that is too long, is refused as promised and has no effect."""
    if look.told_nothing(call):
        return
    look.examined += 1
    missing = known.word == words.MISSING
    wanted = look.told.missing if missing else look.told.too_long
    what = "no key" if missing else f"a key of more than {look.told.max_length} characters"
    promised = f"A call with {what} is refused with {wanted}."
    if call.outcome is Outcome.OK or look.counts.get(known.body):
        seen = f"a call with {what} was answered {call.status}"
        seen += "" if call.outcome is Outcome.OK else ", and what it makes is there"
        title = f"takes a call with {what}"
        look.found("idempotency.bad-key", known.word, title, Severity.MEDIUM, promised, seen, call)
    elif call.status != wanted:
        title = f"refuses {what} otherwise than promised"
        seen = f"it was refused with {call.status}"
        look.found("idempotency.status", known.word, title, Severity.LOW, promised, seen, call)
