"""How a run begins and ends as a report: the first ending that applies is the exit code, what was told stays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.baseline import held
from harness.citation import placed
from harness.clock import SystemClock
from harness.coverage import covered
from harness.exits import Exit, first_of
from harness.finding import Severity
from harness.history import exchanges
from harness.overlap import told_once
from harness.promises.catalogue import STANDING, declared
from harness.report import ContractFacts, OperationFacts, Report, RunStatus, Target, witnesses, worst_first
from harness.run import CONTRACT_FILE, frozen_contract, verdicts
from harness.verdict import LEFT_SAFE, OUT_OF_TIME, Status, Verdict, merged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.contract import Contract
    from harness.exchange import Exchange
    from harness.finding import Finding
    from harness.session import Session

TOO_MANY_REQUESTS = 429
READS = {"GET", "HEAD", "OPTIONS"}
FUZZ, NARROWED = "fuzz", "--only"
WIDE = {FUZZ, *(promise.key for promise in STANDING)}


def begun(
    session: Session, versions: Mapping[str, str], *, again: str, budget_s: float | None = None, fail_on: str = ""
) -> Report:
    """The report of a run that has just begun."""
    contract = session.contract
    target = session.target.describe()
    return Report(
        run_id=session.run_id,
        status=RunStatus.RUNNING,
        exit_code=None,
        target=Target(target["kind"], target["url"], target.get("command", "")),
        contract=ContractFacts(
            str((contract.document.get("info") or {}).get("title", "")), contract.hash, session.overlays
        ),
        operations=tuple(OperationFacts(item.id, item.method, item.path) for item in contract.operations),
        seed=session.attachment.seed,
        versions=versions,
        started=SystemClock().wall(),
        budget_s=budget_s,
        again=again,
        fail_on=fail_on,
    )


def complete(
    report: Report,
    contract: Contract,
    folder: Path,
    told: Sequence[Verdict],
    *,
    failures: Sequence[str] = (),
    alive: bool = True,
) -> Report:
    """The report of a run that came to its end. `failures` say which phases could not do their work."""
    whole = placed(folder, told_once(contract, merged(told)))
    findings = worst_first(finding for verdict in whole for finding in verdict.findings)
    report = _held(report, findings, _examined(report, whole))
    untold = _untold(contract, whole)
    endings = []
    if not alive:
        endings.append(Exit.TARGET)
    least = Severity(report.fail_on or "low")
    if any(finding.severity.at_least(least) and finding.fingerprint not in report.known for finding in findings):
        endings.append(Exit.FINDINGS)
    sent = exchanges(folder)
    report = replace(report, coverage=covered(contract, sent, whole, narrowed=NARROWED in report.again.split()))
    short = _short(report)
    late = [verdict for verdict in whole if OUT_OF_TIME in verdict.reason and not verdict.findings]
    if untold or failures or late or short or not any(verdict.examined for verdict in whole):
        endings.append(Exit.INCONCLUSIVE)
    gone = () if alive else (_gone(folder),)
    reason = "; ".join((*gone, *failures, *short)) or _first_untold(untold or late)
    ended = replace(report, status=RunStatus.COMPLETE, exit_code=first_of(*endings), reason=reason)
    return _with_evidence(ended, sent, whole)


def _held(report: Report, findings: Sequence[Finding], examined: set[tuple[str, str]]) -> Report:
    """The report with what it says of each entry of its baseline."""
    operations = {item.id for item in report.operations}
    today = SystemClock().wall().date()
    return replace(report, baseline=held(report.baseline, findings, examined, operations, today))


def _examined(report: Report, told: Sequence[Verdict]) -> set[tuple[str, str]]:
    """The promises and operations of which all was examined; of what every answer is held to, only after a fuzz."""
    ended = {phase.name for phase in report.phases if phase.status in {Status.PASS, Status.FAIL}}
    return {
        (verdict.promise, verdict.operation)
        for verdict in told
        if verdict.examined and not verdict.reason and (FUZZ in ended or verdict.promise not in WIDE)
    }


def stopped(report: Report, folder: Path, code: Exit, reason: str) -> Report:
    """The report of a run that was stopped: whatever its drivers had told until then."""
    told, sent = merged(verdicts(folder)), exchanges(folder)
    if (folder / CONTRACT_FILE).is_file():
        contract = frozen_contract(folder)
        told = placed(folder, told_once(contract, told))
        report = replace(report, coverage=covered(contract, sent, told, narrowed=True))
    report = _held(report, [finding for verdict in told for finding in verdict.findings], set())
    return _with_evidence(replace(report, status=RunStatus.PARTIAL, exit_code=code, reason=reason), sent, told)


def _gone(folder: Path) -> str:
    """That the target is gone, and after which call: an API may have an operation that ends it."""
    told = "the target does not answer any more"
    acted = [item for item in exchanges(folder) if item.response is not None and item.request.method not in READS]
    if not acted:
        return told
    last = max(acted, key=lambda item: item.done_ns)
    call = f"{last.request.method} {last.request.path}, answered {last.status}"
    return f"{told}; the last call that was no read was {call}: where that ends it, remove the operation by an overlay"


def _short(report: Report) -> list[str]:
    """That less of the contract was reached than was asked for."""
    if report.min_coverage is None or report.coverage.percent >= report.min_coverage:
        return []
    held = report.coverage
    told = f"{held.reached} of {len(held.pairs)} documented answers were reached, {held.percent:.1f} %"
    return [f"{told}; --min-coverage asks for {report.min_coverage:g} %"]


def _with_evidence(report: Report, sent: Sequence[Exchange], told: Sequence[Verdict]) -> Report:
    findings = worst_first(finding for verdict in told for finding in verdict.findings)
    return replace(
        report,
        ended=SystemClock().wall(),
        verdicts=tuple(told),
        findings=findings,
        exchanges=witnesses(findings, sent),
        requests=len(sent),
        paced=sum(exchange.status == TOO_MANY_REQUESTS for exchange in sent),
    )


def _untold(contract: Contract, told: Sequence[Verdict]) -> list[Verdict]:
    """Declared promises that were selected and not examined enough; what --safe leaves out was not selected."""
    return [
        verdict
        for verdict in told
        if verdict.status is Status.INCONCLUSIVE
        and LEFT_SAFE not in verdict.reason
        and verdict.operation in contract.by_id
        and declared(contract, verdict.promise, contract.by_id[verdict.operation])
    ]


def _first_untold(untold: Sequence[Verdict]) -> str:
    if not untold:
        return ""
    first = untold[0]
    more = f", and {len(untold) - 1} more" if len(untold) > 1 else ""
    return f"{first.promise} of {first.operation}: {first.reason or 'nothing was examined'}{more}"
