"""Examines a case: drives it, judges it, and where it found a fault drives it again on fresh data before it says so."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.drive import Driven, drive
from harness.finding import Confirmation, Finding
from harness.verdict import Verdict

if TYPE_CHECKING:
    from harness.case import Case
    from harness.contract import Operation
    from harness.promises.promise import Promise
    from harness.run import Run

ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Examined:
    """What one case-run gave: its verdict and what was driven."""

    verdict: Verdict
    driven: Driven


def once(run: Run, promise: Promise, case: Case, attempt: int = 1) -> Examined:
    """Drives a case once and judges it; where it could not go on, the verdict has the reason and what was found."""
    operation = run.contract.by_id[case.operation]
    began = time.monotonic()
    driven = drive(case, run.stage(case.key, attempt), run.recorder, run=attempt)
    verdict = promise.judge(run.contract, operation, driven.exchanges)
    reason = "; ".join(filter(None, (driven.reason, verdict.reason)))
    seconds = time.monotonic() - began
    return Examined(replace(verdict, reason=reason, seconds=seconds, driver=run.driver), driven)


def confirmed(run: Run, promise: Promise, case: Case, *, attempts: int = ATTEMPTS) -> Verdict:
    """A case's verdict, each finding driven again on fresh data: CONFIRMED where it showed again, else SEEN_ONCE."""
    first = once(run, promise, case)
    if not first.verdict.findings:
        return first.verdict
    again: set[str] = set()
    wanted = {finding.fingerprint for finding in first.verdict.findings}
    for attempt in range(2, attempts + 1):
        if wanted <= again:
            break
        again |= {finding.fingerprint for finding in once(run, promise, case, attempt).verdict.findings}
    findings = tuple(
        _told(finding, case, seen_again=finding.fingerprint in again) for finding in first.verdict.findings
    )
    return replace(first.verdict, findings=findings)


def _told(finding: Finding, case: Case, *, seen_again: bool) -> Finding:
    return replace(
        finding,
        confirmation=Confirmation.CONFIRMED if seen_again else Confirmation.SEEN_ONCE,
        reproduction=replace(finding.reproduction, case=case.key, parameters=case.parameters),
    )


def inconclusive(promise: str, operation: Operation, reason: str, driver: str) -> Verdict:
    """The verdict where nothing could be examined."""
    return Verdict(promise, operation.id, reason=reason, driver=driver)
