"""The judgement of `tenant`: marks that crossed, things that could be reached, and tenants that were told in vain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.cell import Cell, CellState
from harness.exchange import Outcome
from harness.finding import Finding, Severity
from harness.promises.alike import differences
from harness.promises.attempt import AFTER, AGAIN, BEFORE, REDIRECT, TOO_MANY_REQUESTS, Attempt
from harness.promises.tenant import steps as words
from harness.promises.tenant.crossed import crossed
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange

COLUMN = "other tenant"


@dataclass(slots=True)
class _Seen:
    """What has been judged so far of one case-run."""

    operation: Operation
    told: Mapping[str, Any]
    steps: Mapping[str, Exchange]
    examined: int = 0
    findings: list[Finding] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)

    def find(  # noqa: PLR0913 - the parts of a finding, all by name
        self,
        code: str,
        title: str,
        severity: Severity,
        *,
        kind: str,
        promised: str,
        seen: str,
        witnesses: Sequence[Exchange | None],
    ) -> None:
        names = tuple(exchange.id for exchange in witnesses if exchange is not None)
        finding = Finding(code, title, severity, self.operation.id, kind, promised, seen, names)
        self.findings.append(finding)

    def told_nothing(self, exchange: Exchange) -> bool:
        """Whether no judgement is to be had of an answer, with the reason noted."""
        if exchange.outcome is Outcome.UNKNOWN or exchange.status == TOO_MANY_REQUESTS:
            seen = exchange.status or exchange.error or "no answer"
            self.reasons.append(f"{exchange.request.step}: {exchange.operation} gave {seen}")
            return True
        return False


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Nothing of a tenant shows in another; what is another's is as if it were not; tenants are told as documented."""
    told = contract.promise(words.KEY, operation) or {"told": []}
    steps = {exchange.request.step: exchange for exchange in exchanges}
    seen = _Seen(operation, told, steps)
    for exchange in exchanges:
        if exchange.operation == operation.id and exchange.request.identity.tenant and exchange.response is not None:
            seen.examined += 1
    for exchange, mark, origin in crossed(contract, exchanges):
        if exchange.operation != operation.id:
            continue  # what was called on the way is judged where it is the case's own
        seen.find(
            "tenant.canary",
            f"{exchange.operation} shows in one tenant what was written in another",
            Severity.CRITICAL,
            kind="shown",
            promised="Nothing of one tenant is shown in another.",
            seen=f"The tenant {exchange.request.identity.tenant} was shown {mark}, which stands in another tenant.",
            witnesses=(origin, exchange),
        )
    for label in (step.partition(":")[2] for step in steps if step.startswith(f"{words.FOREIGN}:")):
        _reached(seen, label)
    _other(seen)
    _unknown(seen)
    _placed(seen)
    reason = "; ".join(dict.fromkeys(seen.reasons))
    return Verdict(words.KEY, operation.id, seen.examined, tuple(seen.findings), reason, cells=tuple(seen.cells))


def _reached(seen: _Seen, label: str) -> None:
    """Another tenant's thing, named in a path or a body, held against what is nowhere."""
    call = seen.steps[f"{words.FOREIGN}:{label}"]
    absent = [seen.steps.get(f"{step}:{label}") for step in words.ABSENT]
    one, other = absent
    if one is None or other is None or seen.told_nothing(call):
        return
    parts = (seen.steps.get(f"{word}:{label}") for word in (BEFORE, AFTER, AGAIN))
    tried = Attempt(words.FOREIGN, "", call, *parts)
    where = "its path" if label == "path" else f"its body at {label.removeprefix('body')}"
    promised = "What another tenant has is as if it were not: it cannot be seen, named or changed."
    told = differences(call, one, other)
    witnesses = (tried.before, one, call, other, tried.after)
    if tried.effect:
        title, text = f"{seen.operation.id} acts on a thing of another tenant", f"afterwards {tried.effect}"
        severity = Severity.CRITICAL
    elif tried.let_in and {one.outcome, other.outcome} in ({Outcome.REFUSED}, {Outcome.REFUSED, Outcome.UNKNOWN}):
        refused = one.status if one.outcome is Outcome.REFUSED else other.status
        title, text = f"{seen.operation.id} takes a thing of another tenant", f"one that is nowhere {refused}"
        severity = Severity.CRITICAL
    elif told:
        title, text = f"{seen.operation.id} tells that another tenant has a thing", "; ".join(told)
        severity = Severity.MEDIUM
    else:
        if told is None:
            seen.reasons.append(f"two ids that are nowhere were answered {one.status} and {other.status}")
        return
    code = "tenant.existence" if severity is Severity.MEDIUM else "tenant.reached"
    shown = f"Another tenant's thing, named in {where}, was answered {call.status}; {text}."
    seen.find(code, title, severity, kind=label, promised=promised, seen=shown, witnesses=witnesses)
    seen.cells.append(Cell(COLUMN, "as if it were not", str(call.status), CellState.BROKEN, shown))


def _other(seen: _Seen) -> None:
    """Credentials of one tenant, presented in another."""
    call = seen.steps.get(words.OTHER)
    wanted = seen.told.get("other")
    if call is None or seen.told_nothing(call):
        return
    parts = (seen.steps.get(f"{word}:{words.OTHER}") for word in (BEFORE, AFTER, AGAIN))
    tried = Attempt(words.OTHER, "", call, *parts)
    shown = f"Credentials of another tenant were answered {call.status}"
    promised = f"Credentials of one tenant are refused in another{f' with {wanted}' if wanted else ''}."
    if tried.let_in or tried.effect:
        text = f"; afterwards {tried.effect}" if tried.effect else ""
        title = f"{seen.operation.id} takes credentials of another tenant"
        seen.find(
            "tenant.credentials", title, Severity.CRITICAL, kind=COLUMN, promised=promised, seen=f"{shown}{text}.",
            witnesses=_witnesses(tried),
        )  # fmt: skip
    elif wanted is not None and call.status != wanted:
        title = f"{seen.operation.id} refuses credentials of another tenant otherwise than promised"
        seen.find(
            "tenant.status", title, Severity.LOW, kind=COLUMN, promised=promised, seen=f"{shown}.",
            witnesses=_witnesses(tried),
        )  # fmt: skip
    else:
        seen.cells.append(Cell(COLUMN, str(wanted or "refused"), str(call.status), CellState.HELD))
        return
    seen.cells.append(Cell(COLUMN, str(wanted or "refused"), str(call.status), CellState.BROKEN, shown))


def _witnesses(tried: Attempt) -> tuple[Exchange | None, ...]:
    """The exchanges of an attempt in their order."""
    return (tried.before, tried.call, tried.after, tried.again)


def _unknown(seen: _Seen) -> None:
    """A tenant that is not there, at first sight and at the second."""
    wanted = seen.told.get("unknown")
    for number, step in enumerate(words.UNKNOWN):
        call = seen.steps.get(step)
        if call is None or wanted is None or call.status == wanted or seen.told_nothing(call):
            continue
        served = call.outcome is Outcome.OK and call.status < REDIRECT
        seen.find(
            "tenant.unknown" if served else "tenant.status",
            f"{seen.operation.id} {'serves an unknown tenant' if served else 'refuses an unknown tenant otherwise'}",
            Severity.HIGH if served else Severity.LOW,
            kind="unknown tenant",
            promised=f"A tenant that is not there is answered {wanted}, however often it is asked for.",
            seen=f"Asked for the {('first', 'second')[number]} time it was answered {call.status}.",
            witnesses=[seen.steps.get(known) for known in words.UNKNOWN[: number + 1]],
        )
        return


def _placed(seen: _Seen) -> None:
    """Each place that tells the tenant, and two that disagree."""
    own = seen.steps.get(words.OWN)
    if own is None or seen.told_nothing(own):
        return
    if own.outcome is not Outcome.OK:
        seen.reasons.append(f"{seen.operation.id} answered {own.status} where the tenant is told as usual")
        return
    for step, call in seen.steps.items():
        kind, _, label = step.partition(":")
        if kind in {words.PLACE, words.PAIR, words.SWAP} and not seen.told_nothing(call):
            _told_so(seen, kind, label, own, call)


def _told_so(seen: _Seen, kind: str, label: str, own: Exchange, call: Exchange) -> None:
    let_in = call.outcome is Outcome.OK
    conflict = seen.told.get("conflict")
    if kind == words.PLACE:
        promised, wrong = f"{label} tells the tenant.", not let_in
    elif kind == words.SWAP:
        promised = f"Of {label} the first counts, and credentials of the second's tenant are refused."
        wrong = let_in
    elif conflict == words.FIRST:
        promised, wrong = f"Of {label} the first counts.", not let_in
    else:
        promised, wrong = f"{label} that disagree are answered {conflict}.", call.status != conflict
    if wrong:
        seen.find(
            "tenant.told",
            f"{seen.operation.id} takes its tenant from elsewhere than promised",
            Severity.HIGH if kind == words.SWAP else Severity.MEDIUM,
            kind=f"{kind} {label}",
            promised=promised,
            seen=f"It was answered {call.status}, and {own.status} where the tenant is told as usual.",
            witnesses=(own, call),
        )
