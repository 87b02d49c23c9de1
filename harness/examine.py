"""Examines a case: drives it, judges it, and where it found a fault drives it again on fresh data before it says so."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.drive import Driven, drive
from harness.finding import Confirmation, Finding
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.case import Case
    from harness.contract import Operation
    from harness.promises.promise import Promise
    from harness.run import Run

ATTEMPTS = 3


def driven(run: Run, case: Case, attempt: int = 1, *, again: bool = False, limit_s: float = math.inf) -> Driven:
    """Drives a case once, on fresh data; it sends no more after so many seconds. With `again` it showed a fault."""
    stage = run.stage(case.key, attempt)
    stage.again = again
    return drive(case, stage, run.recorder, run=attempt, limit_s=limit_s)


def judged(run: Run, promise: Promise, case: Case, done: Driven, *, beside: str = "") -> Verdict:
    """What a promise says of a driven case, masked; where it could not go on, the reason, and what was found before.

    With `beside` it judges the case's calls of that other operation, as a promise over every exchange does.
    """
    if promise.judge is None:
        raise ValueError(f"the promise {promise.key!r} judges no exchanges; its driver does")
    began = time.monotonic()
    # what was sent by another transport is judged by the promise that sent it alone
    own = [item for item in done.exchanges if item.operation or not case.outside or promise.outside]
    own = [item for item in own if item.operation == beside] if beside else own
    exchanges = map(run.recorder.mask.answered, own) if promise.masked else own
    verdict = promise.judge(run.contract, run.contract.by_id[beside or case.operation], list(exchanges))
    reason = "; ".join(filter(None, (done.reason, verdict.reason)))
    seconds = done.seconds + time.monotonic() - began
    return run.masked(replace(verdict, reason=reason, seconds=seconds, driver=run.driver))


def once(run: Run, promise: Promise, case: Case, attempt: int = 1, *, again: bool = False, beside: str = "") -> Verdict:
    """Drives a case once and judges it; with `again` to show what it showed before, there or at calls `beside`."""
    return judged(run, promise, case, driven(run, case, attempt, again=again), beside=beside)


def confirmed(run: Run, promise: Promise, case: Case, done: Driven, *, attempts: int = ATTEMPTS) -> Verdict:
    """A driven case's verdict; what it found is driven again, and what it could not tell once more."""
    first = judged(run, promise, case, done)
    if first.reason and not first.findings:
        again = once(run, promise, case, attempts + 1)
        first = first if again.reason and not again.findings else again
    return repeated(run, promise, case, first, attempts=attempts)


def repeated(
    run: Run,
    promise: Promise,
    case: Case,
    first: Verdict,
    *,
    attempts: int = ATTEMPTS,
    anew: Callable[[int], Driven | None] | None = None,
) -> Verdict:
    """The verdict with each finding driven again on fresh data: CONFIRMED where it showed again, else SEEN_ONCE.

    `anew` drives the case for the n-th time, where several promises judge one drive; None where there is no time.
    """
    wanted = {finding.fingerprint for finding in first.findings}
    again: set[str] = set()
    for attempt in range(2, attempts + 1):
        if wanted <= again:
            break
        done = anew(attempt) if anew else driven(run, case, attempt, again=True)
        if done is not None:
            again |= {finding.fingerprint for finding in judged(run, promise, case, done).findings}
    return replace(
        first,
        findings=tuple(_told(finding, case, seen_again=finding.fingerprint in again) for finding in first.findings),
    )


def _told(finding: Finding, case: Case, *, seen_again: bool) -> Finding:
    return replace(
        finding,
        confirmation=Confirmation.CONFIRMED if seen_again else Confirmation.SEEN_ONCE,
        reproduction=replace(finding.reproduction, case=case.key, parameters=case.parameters),
    )


def inconclusive(promise: str, operation: Operation, reason: str, driver: str) -> Verdict:
    """The verdict where nothing could be examined."""
    return Verdict(promise, operation.id, reason=reason, driver=driver)
