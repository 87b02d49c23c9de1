"""The whole verification: every phase in one run, within a time budget, with one report and one exit code."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness import archive, checklist, ending, interruption, obtain, phases, selection, watch
from harness.baseline import lasting
from harness.clock import SystemClock
from harness.errors import HarnessError
from harness.exits import Exit
from harness.finding import Confirmation, Severity
from harness.latencies import latencies
from harness.report import Known, Phase, Report, worst_first
from harness.run import Run, verdicts
from harness.session import Session, Wanted, opened, point_latest
from harness.targets import reachable
from harness.verdict import Status, Verdict, shown_again

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.render.progress import Progress

DRIVER = "verify"
BUDGET_S = 150.0
SHARES = {"promises": 0.75, "fuzz": 0.6, "load": 1.0}
RESERVE_S = 12.0
LEAST_S = 3.0
WORK: Mapping[str, phases.Phase] = {"promises": phases.promises, "fuzz": phases.fuzz, "load": phases.load_phase}


@dataclass(frozen=True, slots=True)
class Options:
    """What `harness verify` was asked. `only` holds phases, promises and operations; empty is everything.

    With `first` it ends at the first finding that is confirmed. `examples` are drawn by the fuzzing for each phase and
    operation; 0 is as many as time allows.
    """

    wanted: Wanted
    budget_s: float = BUDGET_S
    only: frozenset[str] = frozenset()
    fail_on: Severity = Severity.LOW
    jobs: int = 2
    examples: int = 0
    first: bool = False
    again: str = "harness verify"
    baseline: tuple[Known, ...] = ()
    min_coverage: float | None = None


@dataclass(slots=True)
class _Verification:
    """One verification as it goes on: its report so far, and the verdicts of its phases."""

    options: Options
    session: Session
    progress: Progress
    report: Report
    deadline_ns: int
    items: tuple[checklist.Item, ...] = ()
    told: list[Verdict] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def known(self) -> frozenset[str]:
        """The fingerprints of findings that are known and do not count today."""
        return lasting(self.options.baseline, SystemClock().wall().date())

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
    with contextlib.ExitStack() as winding_up, opened(options.wanted) as session:
        for note in session.notes:
            progress.note(note)
        selection.check(options.only, session.contract)
        items = checklist.named(session.config)
        report = ending.begun(
            session,
            archive.versions(),
            again=f"{options.again} --seed {session.attachment.seed}",
            budget_s=options.budget_s,
            fail_on=options.fail_on.value,
        )
        report = replace(report, baseline=options.baseline, min_coverage=options.min_coverage)
        verification = _Verification(options, session, progress, report, began + int(options.budget_s * 1e9), items)
        verification.write()
        point_latest(session.folder)
        try:
            ended = _examined(verification)
            archive.write_all(ended, session.folder)
        except KeyboardInterrupt:
            winding_up.enter_context(interruption.passed_over())
            ended = _stopped(verification, Exit.INTERRUPTED, "interrupted; this is what it had recorded")
        except Exception as error:
            code = error.exit_code if isinstance(error, HarnessError) else Exit.INTERNAL
            with contextlib.suppress(OSError):
                _stopped(verification, code, f"{type(error).__name__}: {error}")
            raise
    return ended


def _examined(verification: _Verification) -> Report:
    """Every phase, and the report of what they told."""
    session = verification.session
    with Run(session.attachment, DRIVER, contract=session.contract) as run:
        obtain.share_sessions(run)
        _phases(verification, run)
    ended = ending.complete(
        verification.report,
        session.contract,
        session.folder,
        verification.told,
        failures=verification.failures,
        alive=_alive(verification),
    )
    return replace(ended, checklist=checklist.of_run(verification.items, session.folder, ended.verdicts))


def _stopped(verification: _Verification, code: Exit, reason: str) -> Report:
    """The report of what was told until now, written."""
    folder = verification.session.folder
    stopped = ending.stopped(verification.report, folder, code, reason)
    archive.write_all(stopped, folder)
    return stopped


def _phases(verification: _Verification, run: Run) -> None:
    only = selection.words(verification.options.only)
    for name in selection.phases(verification.options.only):
        if verification.options.first and shown_again(verification.told, verification.known):
            _phase_ended(verification, Phase(name, "skipped", reason="a finding was confirmed (--first)"))
            continue
        if not _alive(verification):
            verification.failures.append(f"{name} was not begun")
            break
        if name == "load" and not phases.loadable(context := _context(verification, run, only, 0.0)):
            reason = "the contract has no read without a parameter that was served; write a journey"
            verification.told += phases.unloaded(context, reason)
            _phase_ended(verification, Phase(name, "skipped", reason=reason))
            continue
        _phase(verification, run, name, WORK[name], only)
    known = list(verification.told)
    _phase(verification, run, "judge", lambda context: phases.judged(context, known), only)
    _confirm(verification, run, only)


def _phase(verification: _Verification, run: Run, name: str, phase: phases.Phase, only: frozenset[str]) -> None:
    """Runs one phase within its share of what is left of the budget; its failure is the report's, not a traceback."""
    verification.progress.phase_started(name, 0)
    share = SHARES.get(name, 1.0) * max(LEAST_S, verification.left_s - RESERVE_S)
    context = _context(verification, run, only, share)
    began = time.monotonic()
    reason = ""
    told: list[Verdict] = []
    try:
        told = phase(context)
    except HarnessError as error:
        reason = str(error)
        verification.failures.append(f"{name}: {reason}")
        told = [verdict for verdict in verdicts(verification.session.folder) if verdict not in verification.told]
    if name == "judge" and not reason:
        verification.told = _without_standing(verification.told, told)
    verification.told += told
    if context.load_results:
        measured = latencies(run.contract, context.load_results[-1].measurement, told)
        verification.report = replace(verification.report, latencies=measured)
    _phase_ended(verification, _phase_of(name, told, time.monotonic() - began, reason), failed=bool(reason))


def _phase_ended(verification: _Verification, ended: Phase, *, failed: bool = False) -> None:
    """Tells that a phase is over; one that was to examine something and did not is a failure of the run."""
    if not failed and ended.status == Status.INCONCLUSIVE.value and ended.name in WORK:
        verification.failures.append(f"{ended.name}: {ended.reason}")
    verification.report = replace(verification.report, phases=(*verification.report.phases, ended))
    verification.write()
    verification.progress.phase_ended(
        ended.name, ended.status, examined=ended.examined, findings=ended.findings, reason=ended.reason
    )


def _context(verification: _Verification, run: Run, only: frozenset[str], seconds: float) -> phases.Context:
    return phases.Context(
        session=verification.session,
        run=run,
        only=only,
        jobs=verification.options.jobs,
        examples=verification.options.examples,
        advanced=verification.progress.advanced,
        deadline_ns=time.monotonic_ns() + int(seconds * 1e9),
        budget_ns=verification.deadline_ns,
        first=verification.options.first,
        known=verification.known,
    )


def _without_standing(told: Sequence[Verdict], judged: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts without those that the judgement of the whole history replaces, and what was told until it came."""
    replaced = {(verdict.promise, verdict.operation) for verdict in judged}
    found = {finding.fingerprint for verdict in judged for finding in verdict.findings}
    return [
        replace(verdict, findings=tuple(item for item in verdict.findings if item.fingerprint not in found), examined=0)
        if (verdict.promise, verdict.operation) in replaced
        else verdict
        for verdict in told
        if verdict.driver != watch.DRIVER
        if (verdict.promise, verdict.operation) not in replaced or {f.fingerprint for f in verdict.findings} - found
    ]


def _phase_of(name: str, told: Sequence[Verdict], seconds: float, reason: str) -> Phase:
    """A phase as the report shows it: FAIL by findings, PASS where something was examined; what was not told."""
    findings = {finding.fingerprint for verdict in told for finding in verdict.findings}
    examined = sum(verdict.examined for verdict in told)
    status = Status.FAIL if findings else Status.PASS if examined and not reason else Status.INCONCLUSIVE
    untold = sum(verdict.status is Status.INCONCLUSIVE for verdict in told)
    if not examined:
        reason = reason or next((verdict.reason for verdict in told if verdict.reason), "nothing was examined")
    elif untold:
        reason = reason or f"{untold} could not be told"
    return Phase(name, status.value, examined, len(findings), seconds, reason)


def _confirm(verification: _Verification, run: Run, only: frozenset[str]) -> None:
    """Shows again what was seen once, and puts what became of it in the verdicts' place."""
    findings = worst_first(finding for verdict in verification.told for finding in verdict.findings)
    if not findings:
        return
    verification.progress.phase_started("confirm", len(findings))
    began = time.monotonic()
    context = _context(verification, run, only, max(LEAST_S, verification.left_s))
    whole = {finding.fingerprint: finding for finding in phases.confirmed(context, findings)}
    verification.told = [
        replace(verdict, findings=tuple(whole.get(item.fingerprint, item) for item in verdict.findings))
        for verdict in verification.told
    ]
    shown = sum(finding.confirmation is Confirmation.CONFIRMED for finding in whole.values())
    reason = "" if shown == len(findings) else f"{len(findings) - shown} of {len(findings)} were seen once only"
    ended = Phase("confirm", Status.FAIL.value, len(findings), len(findings), time.monotonic() - began, reason)
    _phase_ended(verification, ended)


def _alive(verification: _Verification) -> bool:
    """Whether the target still answers."""
    try:
        reachable(verification.session.attachment.url)
    except HarnessError:
        return False
    return True
