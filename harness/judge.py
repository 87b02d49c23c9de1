"""Judges a whole history by the standing promises, and confirms what that shows on fresh data."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from harness import examine, expected, sequence
from harness.case import Case
from harness.contract.operation import ELSEWHERE
from harness.drive import drive
from harness.exchange import Outcome
from harness.finding import Confirmation, Reproduction
from harness.identities import ANONYMOUS
from harness.promises import survey
from harness.promises.catalogue import BY_KEY, STANDING, as_documented
from harness.promises.planting import PLANTED, SOURCES
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.contract import Contract
    from harness.exchange import Exchange
    from harness.finding import Finding
    from harness.promises.promise import Promise
    from harness.run import Run

DRIVER = "judge"
ATTEMPTS = 2
WATCHING = {promise.key for promise in STANDING if promise.watches}


def standing(
    contract: Contract, history: Iterable[Exchange], masked: Callable[[Exchange], Exchange] | None = None
) -> list[Verdict]:
    """What the standing promises say of every exchange.

    What was not read from a history is given to those that judge it as one shows it by `masked`.

    An exchange of no operation is judged under an empty one; a fault that it shows is told once, at its path's first.
    What the cases of a promise that watches sent beside their operation is judged with that operation; what was sent in
    another wire form than the document's is not judged.
    """
    by_operation: dict[str, list[Exchange]] = defaultdict(list)
    beside: dict[tuple[str, str], list[Exchange]] = defaultdict(list)
    for exchange in history:
        if not as_documented(exchange):
            continue
        key, _, rest = exchange.case.partition("/")
        own = rest.rpartition("/")[0]
        if key in WATCHING and own != exchange.operation:
            beside[key, own].append(exchange)
        by_operation[exchange.operation].append(exchange)
    for _, name in beside:
        by_operation.setdefault(name, [])
    found = []
    for name, exchanges in by_operation.items():
        operation = contract.by_id.get(name, ELSEWHERE)
        for promise in STANDING:
            if promise.judge is None or not promise.applies(contract, operation):
                continue
            own_cases = f"{promise.key}/"
            foreign = [item for item in exchanges if name or not item.case.startswith(own_cases)]
            shown = [*foreign, *beside[promise.key, name]]
            shown = list(map(masked, shown)) if masked and promise.masked else shown
            judged = promise.judge(contract, operation, shown) if name else elsewhere(contract, promise, shown)
            found.append(replace(judged, driver=DRIVER))
    return found


def elsewhere(contract: Contract, promise: Promise, exchanges: Sequence[Exchange]) -> Verdict:
    """What a promise says of exchanges of no operation, a finding each kind of fault however many paths show it.

    It stands at the first operation of the first path of the document that shows it; at none, where no path does.
    """
    assert promise.judge is not None, "a standing promise judges"
    judged = promise.judge(contract, ELSEWHERE, exchanges)
    if all(finding.operation or not finding.witnesses for finding in judged.findings):
        return judged
    at = {path: next(iter(contract.at(path)), ELSEWHERE) for path in {item.request.path for item in exchanges}}
    order = {operation.id: number for number, operation in enumerate(contract.operations)}

    def first(exchange: Exchange) -> tuple[int, bool]:
        """By the document, and what nobody called before the others: nothing needs to be made before it."""
        return order.get(at[exchange.request.path].id, len(order)), exchange.request.identity.name != ANONYMOUS.name

    ordered = sorted(exchanges, key=first)
    path_of = {exchange.id: exchange.request.path for exchange in ordered}
    judged = promise.judge(contract, ELSEWHERE, ordered)
    findings = (
        replace(item, operation=at[path_of[item.witnesses[0]]].id) if item.witnesses and not item.operation else item
        for item in judged.findings
    )
    return replace(judged, findings=tuple(findings))


def case_again(run: Run, finding: Finding) -> tuple[Promise, Case] | None:
    """The promise and the case that showed a finding, made again; None where no promise has such a case."""
    key, _, rest = finding.reproduction.case.partition("/")
    name, _, case_name = rest.rpartition("/")
    operation = run.contract.by_id.get(name)
    judging, source = BY_KEY.get(finding.code.split(".")[0]), BY_KEY.get(key)
    if operation is None or judging is None or source is None:
        return None
    if source.outside and judging.cases is not None and not judging.watches:
        judging = source  # it judges what it sent, under the codes of the gate that is missing
    if source.case_of is not None and finding.reproduction.parameters:
        return judging, source.case_of(run.contract, operation, finding.reproduction.parameters)
    make, label = (source.cases, key) if source.cases else (survey.cases, "survey")
    cases = make(run.contract, operation, run.random(f"{label}/{name}"))
    return next(((judging, case) for case in cases if case.name == case_name), None)


def again(run: Run, finding: Finding, *, attempts: int = ATTEMPTS) -> Verdict:
    """Shows a finding again on fresh data: its case driven again, else its sequence of requests.

    What a promise over every exchange found at a call that the case sent beside its own operation is looked for there,
    and where that does not show it, by the sequence too.

    The verdict holds the findings that came; where nothing could be examined it has the reason.
    """
    made = case_again(run, finding)
    if made is None:
        return _sequence_again(run, finding, attempts)
    promise, case = made
    over_all = promise.standing or promise.watches
    foreign = over_all and finding.operation in run.contract.by_id and finding.operation != case.operation
    beside = finding.operation if foreign else ""
    verdict = Verdict(promise.key, finding.operation, reason="it was not driven")
    for attempt in range(1, attempts + 1):
        seen = examine.once(run, promise, case, attempt, again=True, beside=beside)
        if any(item.fingerprint == finding.fingerprint for item in seen.findings):
            return seen
        if seen.examined or not verdict.examined:  # what a process prepares once, its later drives do not call again
            verdict = seen
    return _sequence_again(run, finding, attempts) if beside and finding.reproduction.steps else verdict


def reproducible(finding: Finding, history: Sequence[Exchange], by_id: Mapping[str, Exchange]) -> Finding:
    """The finding with what is needed to see it again: the case of its first witness, and the witnesses' sequence."""
    witness = by_id.get(finding.witnesses[0]) if finding.witnesses else None
    case = finding.reproduction.case or (witness.case.split("#")[0] if witness else "")
    promise = BY_KEY.get(finding.code.split(".")[0])
    alike = promise is not None and promise.standing
    named = finding.witnesses[:1] if alike else finding.witnesses
    if alike and witness is not None and not witness.operation:
        # Its case is judged with the operation that it is of: the request by itself shows this.
        case = finding.reproduction.case
    planted = _planted(finding, history, by_id)
    steps = (planted and sequence.cut(history, (*planted, *named))) or sequence.cut(history, named)
    return replace(finding, reproduction=Reproduction(case, finding.reproduction.parameters, steps))


def _planted(finding: Finding, history: Sequence[Exchange], by_id: Mapping[str, Exchange]) -> tuple[str, ...]:
    """What was made for a list before its last page was read: without it the list would show nothing of the fault."""
    pages = [by_id[name] for name in finding.witnesses if name in by_id]
    if finding.code.partition(".")[0] not in SOURCES or not pages:
        return ()
    case, last_ns = pages[0].case, max(page.sent_ns for page in pages)
    return tuple(
        exchange.id
        for exchange in history
        if exchange.case == case and exchange.sent_ns < last_ns and exchange.request.step.startswith(f"{PLANTED}|")
        and exchange.outcome is Outcome.OK
    )  # fmt: skip


def confirmed(run: Run, finding: Finding) -> Finding:
    """The finding as CONFIRMED where a second run on fresh data shows it, else as it was."""
    if finding.confirmation is Confirmation.CONFIRMED:
        return finding
    shown = {item.fingerprint for item in again(run, finding).findings}
    return replace(finding, confirmation=Confirmation.CONFIRMED) if finding.fingerprint in shown else finding


def _sequence_again(run: Run, finding: Finding, attempts: int) -> Verdict:
    key = finding.code.split(".")[0]
    steps = finding.reproduction.steps
    if not steps:
        return Verdict(key, finding.operation, reason="the finding has no sequence of requests to send again")
    answers: list[Exchange] = []
    case = Case(key, finding.operation, "replay", lambda stage: sequence.replayed(stage, steps, answers))
    verdict = Verdict(key, finding.operation, reason="it was not sent")
    for attempt in range(1, attempts + 1):
        answers.clear()
        done = drive(case, run.stage(f"{case.key}/{finding.fingerprint}", attempt), run.recorder, run=attempt)
        verdict = run.masked(_sequence_judged(run, finding, done.exchanges, answers, done.reason))
        if verdict.findings:
            break
    return verdict


def _sequence_judged(
    run: Run, finding: Finding, exchanges: Sequence[Exchange], answers: Sequence[Exchange], reason: str
) -> Verdict:
    """What the exchanges of a replay show of the finding; `answers` are those of its steps alone."""
    key = finding.code.split(".")[0]
    if reason or not answers:
        return Verdict(key, finding.operation, reason=reason or "nothing was sent")
    promise = BY_KEY.get(key)
    if promise is not None and promise.judge is not None:
        operation = run.contract.by_id.get(finding.operation, ELSEWHERE)
        if promise.standing and not finding.reproduction.steps[-1]["operation"]:
            operation = ELSEWHERE
        own = [item for item in exchanges if item.operation == operation.id]
        own = [run.recorder.mask.answered(item) for item in own] if promise.masked else own
        of_none = operation is ELSEWHERE
        verdict = elsewhere(run.contract, promise, own) if of_none else promise.judge(run.contract, operation, own)
        same = tuple(item for item in verdict.findings if item.fingerprint == finding.fingerprint)
        return replace(verdict, findings=same)
    recorded = [step["status"] for step in finding.reproduction.steps]
    seen = [exchange.status for exchange in answers]
    if seen[:-1] != recorded[:-1]:
        return Verdict(key, finding.operation, reason=f"the steps before it answered {seen[:-1]}, not {recorded[:-1]}")
    shown = expected.shown(finding.reproduction.parameters.get("expect") or {"status": [recorded[-1]]}, answers)
    if shown is None:
        return Verdict(
            key, finding.operation, reason=f"the last step answered {seen[-1] or 'nothing'}, which tells neither"
        )
    return Verdict(key, finding.operation, examined=1, findings=(finding,) if shown else ())
