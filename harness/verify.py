"""The whole verification: every phase in one run, within a time budget, with one report and one exit code."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness import archive, phases
from harness.clock import SystemClock
from harness.errors import HarnessError
from harness.exits import Exit, first_of
from harness.finding import Severity
from harness.history import exchanges as exchanges_of
from harness.latencies import latencies
from harness.promises.catalogue import declared
from harness.report import ContractFacts, OperationFacts, Phase, Report, RunStatus, Target, worst_first
from harness.run import Run, verdicts
from harness.session import Session, Wanted, opened, point_latest
from harness.verdict import Status, Verdict, merged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.finding import Finding
    from harness.render.progress import Progress

DRIVER = "verify"
BUDGET_S = 120.0
SHARES = {"promises": 0.55, "fuzz": 0.6, "load": 1.0}
RESERVE_S = 12.0
WORK: Mapping[str, phases.Phase] = {"promises": phases.promises, "fuzz": phases.fuzz, "load": phases.load_phase}


@dataclass(frozen=True, slots=True)
class Options:
    """What `harness verify` was asked. `only` holds phases, promises and operations; empty is everything."""

    wanted: Wanted
    budget_s: float = BUDGET_S
    only: frozenset[str] = frozenset()
    fail_on: Severity = Severity.LOW
    jobs: int = 2
    again: str = "harness verify"


@dataclass(slots=True)
class _Verification:
    """One verification as it goes on: its report so far, and the verdicts of its phases."""

    options: Options
    session: Session
    progress: Progress
    report: Report
    deadline_ns: int
    told: list[Verdict] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def left_s(self) -> float:
        """Seconds until the budget is used up; below 0 once it is."""
        return (self.deadline_ns - time.monotonic_ns()) / 1e9

    def write(self) -> None:
        """Writes run.json as it is now."""
        archive.write_run(self.report, self.session.folder)


def verify(options: Options, progress: Progress) -> Report:
    """Verifies a target and leaves `reports/<run>/`; the report holds the exit code.

    Raises UsageError and TargetError where nothing could be begun. An interruption is an ending like others: what was
    recorded until then is rendered, and the report says INTERRUPTED.
    """
    began = time.monotonic_ns()
    with opened(options.wanted) as session:
        report = _begun(options, session)
        verification = _Verification(options, session, progress, report, began + int(options.budget_s * 1e9))
        verification.write()
        point_latest(session.folder)
        try:
            with Run(session.attachment, DRIVER, contract=session.contract) as run:
                _phases(verification, run)
                ended = _ended(verification)
        except KeyboardInterrupt:
            ended = _stopped(verification, Exit.INTERRUPTED, "interrupted; this is what it had recorded")
    archive.write_all(ended, session.folder)
    return ended


def _begun(options: Options, session: Session) -> Report:
    contract = session.contract
    title = str((contract.document.get("info") or {}).get("title", ""))
    target = session.target.describe()
    return Report(
        run_id=session.run_id,
        status=RunStatus.RUNNING,
        exit_code=None,
        target=Target(target["kind"], target["url"], target.get("command", "")),
        contract=ContractFacts(title, contract.hash, session.overlays),
        operations=tuple(OperationFacts(item.id, item.method, item.path) for item in contract.operations),
        seed=session.attachment.seed,
        versions=archive.versions(),
        started=SystemClock().wall(),
        budget_s=options.budget_s,
        again=f"{options.again} --seed {session.attachment.seed}",
        fail_on=options.fail_on.value,
    )


def names(options: Options) -> list[str]:
    """The phases that will run, in order: all, those that were named, or only the promise cases for other words."""
    named = options.only & set(WORK)
    driven = [name for name in WORK if (name in named if named else not options.only or name == "promises")]
    return [*driven, "judge"]


def _phases(verification: _Verification, run: Run) -> None:
    only = verification.options.only - set(WORK)
    for name in names(verification.options)[:-1]:
        _phase(verification, run, name, WORK[name], only)
    known = list(verification.told)
    _phase(verification, run, "judge", lambda context: phases.judged(context, known), only)
    _confirm(verification, run, only)


def _phase(verification: _Verification, run: Run, name: str, phase: phases.Phase, only: frozenset[str]) -> None:
    """Runs one phase within its share of what is left of the budget; its failure is the report's, not a traceback."""
    verification.progress.phase_started(name, 0)
    share = SHARES.get(name, 1.0) * max(5.0, verification.left_s - RESERVE_S)
    context = _context(verification, run, only, share)
    began = time.monotonic()
    reason = ""
    told: list[Verdict] = []
    try:
        told = phase(context)
    except HarnessError as error:
        reason = str(error)
        verification.failures.append(f"{name}: {reason}")
    if name == "judge":
        verification.told = _without_standing(verification.told, told)
    verification.told += told
    if context.load_results:
        measured = latencies(run.contract, context.load_results[-1].measurement, told)
        verification.report = replace(verification.report, latencies=measured)
    ended = _phase_of(name, told, time.monotonic() - began, reason)
    verification.report = replace(verification.report, phases=(*verification.report.phases, ended))
    verification.write()
    verification.progress.phase_ended(
        name, ended.status, examined=ended.examined, findings=ended.findings, reason=ended.reason
    )


def _context(verification: _Verification, run: Run, only: frozenset[str], seconds: float) -> phases.Context:
    return phases.Context(
        session=verification.session,
        run=run,
        only=only,
        jobs=verification.options.jobs,
        advanced=verification.progress.advanced,
        deadline_ns=time.monotonic_ns() + int(seconds * 1e9),
    )


def _without_standing(told: Sequence[Verdict], judged: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts without those that the judgement of the whole history replaces."""
    replaced = {(verdict.promise, verdict.operation) for verdict in judged}
    found = {finding.fingerprint for verdict in judged for finding in verdict.findings}
    return [
        replace(verdict, findings=tuple(item for item in verdict.findings if item.fingerprint not in found), examined=0)
        if (verdict.promise, verdict.operation) in replaced
        else verdict
        for verdict in told
        if (verdict.promise, verdict.operation) not in replaced or {f.fingerprint for f in verdict.findings} - found
    ]


def _phase_of(name: str, told: Sequence[Verdict], seconds: float, reason: str) -> Phase:
    findings = {finding.fingerprint for verdict in told for finding in verdict.findings}
    examined = sum(verdict.examined for verdict in told)
    status = Status.FAIL if findings else Status.PASS if examined and not reason else Status.INCONCLUSIVE
    return Phase(name, status.value, examined, len(findings), seconds, reason or ("" if examined else "nothing sent"))


def _confirm(verification: _Verification, run: Run, only: frozenset[str]) -> None:
    """Shows again what was seen once, and puts what became of it in the verdicts' place."""
    findings = worst_first(finding for verdict in verification.told for finding in verdict.findings)
    if not findings:
        return
    verification.progress.phase_started("confirm", len(findings))
    context = _context(verification, run, only, max(RESERVE_S, verification.left_s))
    whole = {finding.fingerprint: finding for finding in phases.confirmed(context, findings)}
    verification.told = [
        replace(verdict, findings=tuple(whole.get(item.fingerprint, item) for item in verdict.findings))
        for verdict in verification.told
    ]


def _ended(verification: _Verification) -> Report:
    """The complete report: its exit code is the first ending that applies."""
    told = merged(verification.told)
    findings = worst_first(finding for verdict in told for finding in verdict.findings)
    untold = _untold(verification, told)
    endings = []
    if any(finding.severity.at_least(verification.options.fail_on) for finding in findings):
        endings.append(Exit.FINDINGS)
    if untold or verification.failures or not any(verdict.examined for verdict in told):
        endings.append(Exit.INCONCLUSIVE)
    if verification.failures and not _alive(verification):
        endings.append(Exit.TARGET)
    reason = "; ".join(verification.failures) or _untold_text(untold)
    return _with_outcome(verification, RunStatus.COMPLETE, first_of(*endings), reason, told, findings)


def _untold(verification: _Verification, told: Sequence[Verdict]) -> list[Verdict]:
    """Declared promises that were selected and not examined enough."""
    by_id = verification.session.contract.by_id
    return [
        verdict
        for verdict in told
        if verdict.status is Status.INCONCLUSIVE
        and verdict.operation in by_id
        and declared(verification.session.contract, verdict.promise, by_id[verdict.operation])
    ]


def _untold_text(untold: Sequence[Verdict]) -> str:
    if not untold:
        return ""
    first = untold[0]
    more = f", and {len(untold) - 1} more" if len(untold) > 1 else ""
    return f"{first.promise} of {first.operation}: {first.reason or 'nothing was examined'}{more}"


def _alive(verification: _Verification) -> bool:
    from harness.targets import reachable  # noqa: PLC0415 - needed only where a phase failed

    try:
        reachable(verification.session.attachment.url)
    except HarnessError:
        return False
    return True


def _stopped(verification: _Verification, code: Exit, reason: str) -> Report:
    """The report of a run that was interrupted: whatever its drivers had told until then."""
    told = merged(verdicts(verification.session.folder))
    findings = worst_first(finding for verdict in told for finding in verdict.findings)
    return _with_outcome(verification, RunStatus.PARTIAL, code, reason, told, findings)


def _with_outcome(
    verification: _Verification,
    status: RunStatus,
    code: Exit,
    reason: str,
    told: Sequence[Verdict],
    findings: Sequence[Finding],
) -> Report:
    folder = verification.session.folder
    exchanges = exchanges_of(folder)
    named = {name for finding in findings for name in finding.witnesses}
    return replace(
        verification.report,
        status=status,
        exit_code=code,
        reason=reason,
        ended=SystemClock().wall(),
        verdicts=tuple(told),
        findings=tuple(findings),
        exchanges={exchange.id: exchange for exchange in exchanges if exchange.id in named},
        requests=len(exchanges),
        paced=sum(1 for exchange in exchanges if exchange.status == 429),  # noqa: PLR2004 - Too Many Requests
    )
