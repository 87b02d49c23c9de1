"""Searches a promise's drawn cases with Hypothesis: generates programs, drives them, and shrinks one that fails.

What is generated is the program and not the interleaving, which is the target's. So a race may not recur: a program
fails if any of its runs does, what a program gave is kept for the search's length, and the history is the evidence.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import hypothesis

from harness.drive import drive
from harness.finding import Confirmation, Finding, Reproduction
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.case import Case
    from harness.contract import Contract, Operation
    from harness.drive import Sender
    from harness.promises.promise import CaseOf, Judge, Promise
    from harness.stage import Stage

DRIVER = "properties"
BUDGET_S = 60.0
HOPELESS = 2
AGAIN = 3


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave: the verdict and, where it failed, the smallest case that did."""

    verdict: Verdict
    case: Case | None = None


class _Broken(Exception):
    """A program that failed; Hypothesis catches it and looks for a smaller one."""

    def __init__(self, case: Case, findings: tuple[Finding, ...]) -> None:
        super().__init__(case.key)
        self.case, self.findings = case, findings


@dataclass(slots=True)
class _Search:
    """Drives cases, each on a fresh stage, and remembers what each gave."""

    contract: Contract
    operation: Operation
    make: CaseOf
    judge: Judge
    stage_factory: Callable[[str], Stage]
    sender: Sender
    runs: int
    deadline_s: float
    sleep: Callable[[float], None]
    known: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    examined: int = 0
    told: int = 0
    reasons: list[str] = field(default_factory=list)
    driven: int = 0

    def findings(self, parameters: Mapping[str, Any]) -> tuple[Finding, ...]:
        """What a program gives in any of its runs; nothing more is sent when the time is up or nothing can be had."""
        text = json.dumps(parameters, sort_keys=True)
        if text not in self.known:
            hopeless = not self.told and len(self.reasons) >= HOPELESS
            if hopeless or time.monotonic() > self.deadline_s:
                return ()
            self.known[text] = self._driven(self.make(self.contract, self.operation, parameters))
        return self.known[text]

    def _driven(self, case: Case) -> tuple[Finding, ...]:
        for _ in range(self.runs):
            verdict = self.once(case)
            if verdict.findings:
                return verdict.findings
        return ()

    def once(self, case: Case) -> Verdict:
        """One run of a case on a fresh stage."""
        self.driven += 1
        key = f"{DRIVER}/{case.key}/{self.driven}"
        done = drive(case, self.stage_factory(key), self.sender, run=self.driven, sleep=self.sleep)
        verdict = self.judge(self.contract, self.operation, done.exchanges)
        self.examined += verdict.examined
        reason = done.reason or verdict.reason
        self.told += not reason
        self.reasons += [reason] if reason else []
        return verdict


def search(  # noqa: PLR0913, PLR0917 - what is searched, with what, how far; the last by name
    promise: Promise,
    contract: Contract,
    operation: Operation,
    stage_factory: Callable[[str], Stage],
    sender: Sender,
    seed: int,
    max_examples: int,
    *,
    runs: int = 1,
    budget_s: float = BUDGET_S,
    sleep: Callable[[float], None] = time.sleep,
) -> Found:
    """Examines drawn cases of a promise on an operation, as many as `max_examples` or as the time allows.

    The same seed draws the same programs. A program is driven `runs` times. After `budget_s` seconds no more is sent,
    also by the shrinking. Raises ValueError where the promise has no drawn cases.
    """
    if promise.strategy is None or promise.case_of is None or promise.judge is None:
        raise ValueError(f"the promise {promise.key!r} has no drawn cases; give it a strategy and case_of")
    deadline_s = time.monotonic() + budget_s
    looking = _Search(
        contract, operation, promise.case_of, promise.judge, stage_factory, sender, runs, deadline_s, sleep
    )
    began = time.monotonic()
    broken = _smallest(promise, looking, seed, max_examples)
    verdict = Verdict(promise.key, operation.id, examined=looking.examined, driver=DRIVER)
    if broken is None:
        reason = "" if looking.told else "; ".join(dict.fromkeys(looking.reasons))
        return Found(replace(verdict, reason=reason, seconds=time.monotonic() - began))
    findings = _confirmed(looking, broken)
    verdict = replace(verdict, examined=looking.examined, findings=findings, seconds=time.monotonic() - began)
    return Found(verdict, broken.case)


def _smallest(promise: Promise, looking: _Search, seed: int, max_examples: int) -> _Broken | None:
    """The smallest program that Hypothesis finds to fail."""
    assert promise.strategy is not None

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=max_examples,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(promise.strategy(looking.contract, looking.operation))
    def holds(parameters: Mapping[str, Any]) -> None:
        findings = looking.findings(parameters)
        if findings:
            raise _Broken(looking.make(looking.contract, looking.operation, parameters), findings)

    try:
        holds()
    except _Broken as broken:
        return broken
    return None


def _confirmed(looking: _Search, broken: _Broken) -> tuple[Finding, ...]:
    """The findings of the smallest program, driven again: what shows again is confirmed."""
    wanted = {finding.fingerprint for finding in broken.findings}
    shown: set[str] = set()
    for _ in range(AGAIN):
        if wanted <= shown:
            break
        shown |= {finding.fingerprint for finding in looking.once(broken.case).findings}
    return tuple(
        replace(
            finding,
            confirmation=Confirmation.CONFIRMED if finding.fingerprint in shown else Confirmation.SEEN_ONCE,
            reproduction=Reproduction(broken.case.key, broken.case.parameters),
        )
        for finding in broken.findings
    )
