"""The phases of a verification, each a function that drives something in the run and gives verdicts."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness import history, judge, obtain
from harness.child import Child
from harness.drivers import load
from harness.errors import CannotTell, HarnessError
from harness.exchange import Outcome
from harness.finding import one_of_each_first
from harness.load.plan import Plan
from harness.promises import objective
from harness.promises.catalogue import declared, promised
from harness.run import BROKEN, VARIABLE, Heard, Run, verdicts
from harness.verdict import OUT_OF_TIME, Verdict, shown_again

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.finding import Finding
    from harness.identities import Identity
    from harness.session import Session

POLL_S = 0.4
GRACE_S = 10.0
LOAD_RATE_PER_S = 100.0
LOAD_DURATION_S = 10.0
LOAD_START_S = 5.0
LOAD_LEAST_S = 1.0
LOAD_USERS = 20
FUZZ = "fuzz"
# One process more than compute: cases of limits and ages wait for the most part.
WAITING = 1
NO_ITEMS = "the tests collect no promise items; add: from harness.suite.test_promises import test_promise"
TAIL_LINES = 15
NO_TESTS_COLLECTED = 5

Advanced = Callable[[int, int, int, str], None]


@dataclass(slots=True)
class Context:
    """What a phase works in. `only` holds promise keys, operation ids and phase names; empty is everything.

    `examples` is a fixed program of the fuzzing, so many for each phase and operation; 0 is as time allows.

    `advanced` is told (done, total, findings, what runs); `deadline_ns` ends the phase,
    `budget_ns` the whole run (0 is no limit), with `first` a confirmed finding whose fingerprint is not `known`.
    """

    session: Session
    run: Run
    only: frozenset[str] = frozenset()
    jobs: int = 2
    examples: int = 0
    advanced: Advanced = lambda *_: None
    deadline_ns: int = 0
    budget_ns: int = 0
    first: bool = False
    known: frozenset[str] = frozenset()
    load_results: list[load.LoadResult] = field(default_factory=list)

    @property
    def left_s(self) -> float:
        """Seconds until the deadline, not below 0."""
        return max(0.0, (self.deadline_ns - time.monotonic_ns()) / 1e9)

    @property
    def budget_left_s(self) -> float:
        """Seconds until the whole run must be over; infinite where that has no limit."""
        return (self.budget_ns - time.monotonic_ns()) / 1e9 if self.budget_ns else math.inf


Phase = Callable[[Context], list[Verdict]]


def promises(context: Context) -> list[Verdict]:
    """The pytest items, every promise × operation, in parallel; their verdicts as they were told."""
    tests = [str(context.session.config.folder / name) for name in context.session.config.scenarios.get("tests", ())]
    suite = Path(__file__).parent / "suite" / "test_promises.py"
    own = [] if tests else ["-c", os.devnull, "--rootdir", str(suite.parent), "-p", "no:schemathesis"]
    command = [sys.executable, "-m", "pytest", *(tests or [str(suite)]), *own, "-q", "-p", "no:cacheprovider"]
    command += ["-n", str(context.jobs + WAITING), "--dist", "load"] if context.jobs > 1 else []
    log = context.session.folder / "pytest.log"
    total, heard = len(_not_reached(context)), Heard(context.session.folder)
    with log.open("wb") as output, Child(command, environment=_environment(context), output=output) as child:
        code, ends_ns = None, context.deadline_ns + int(GRACE_S * 1e9)
        while code is None and time.monotonic_ns() < ends_ns:
            code = child.wait(POLL_S)
            told = heard.verdicts()
            findings = {finding.fingerprint for verdict in told for finding in verdict.findings}
            context.advanced(len(told), max(total, len(told)), len(findings), _doing(told))
            if context.first and shown_again(told, context.known):
                break
    if code is not None and code > 1 and code != NO_TESTS_COLLECTED:
        raise HarnessError(f"pytest ended with {code}:\n{_tail(log)}")
    broken = [verdict for verdict in verdicts(context.session.folder) if verdict.promise == BROKEN]
    if broken:
        raise HarnessError(f"{len(broken)} of the tests broke: {broken[0].operation}: {broken[0].reason}")
    return verdicts(context.session.folder) + _not_reached(context)


def fuzz(context: Context) -> list[Verdict]:
    """Schemathesis through the recorder, in a process of its own."""
    log = context.session.folder / "fuzz.log"
    budget_s = max(5.0, context.left_s)
    command = [sys.executable, "-m", "harness.drivers.fuzz", "--budget", f"{budget_s:.0f}"]
    command += ["--jobs", str(context.jobs)]
    command += ["--examples", str(context.examples)] if context.examples else []
    with log.open("wb") as output, Child(command, environment=_environment(context), output=output) as child:
        code, ends = None, time.monotonic() + budget_s + GRACE_S
        while code is None and time.monotonic() < ends:
            code = child.wait(POLL_S)
            context.advanced(*_fuzzed(log))
    if code is None or code > 1:
        ended = "did not end in its time" if code is None else f"ended with {code}"
        raise HarnessError(f"fuzzing {ended}:\n{_tail(log)}")
    return [verdict for verdict in verdicts(context.session.folder) if verdict.promise == FUZZ]


def loadable(context: Context) -> bool:
    """Whether there is a load to send: a journey of the project's own, or a read that needs no parameter."""
    journey = context.session.config.scenarios.get("load") and not context.run.attachment.safe
    return bool(journey or _reads(context))


def unloaded(context: Context, reason: str) -> list[Verdict]:
    """What is told of the objectives that the contract promises by name where no load can be sent."""
    return [
        context.run.tell(Verdict(objective.KEY, operation.id, reason=reason, driver="load"))
        for operation in context.run.contract.operations
        if not operation.streams
        and (operation.reads or not context.run.attachment.safe)
        and declared(context.run.contract, objective.KEY, operation)
    ]


def load_phase(context: Context) -> list[Verdict]:
    """Locust on a timetable against the objectives; run again where one did not hold."""
    contract, config = context.run.contract, context.session.config
    objectives = {
        operation.id: contract.promise("objective", operation) or objective.DEFAULT
        for operation in contract.operations
        if not operation.streams and (operation.reads or not context.run.attachment.safe)
    }
    duration_s = min(float(config.load.get("duration_s", LOAD_DURATION_S)), context.budget_left_s - LOAD_START_S)
    if duration_s < LOAD_LEAST_S:
        raise HarnessError("the time budget was used up before it could begin")
    journey = None if context.run.attachment.safe else config.scenarios.get("load")
    locustfile = config.folder / journey if journey else load.GENERIC
    plan = Plan(
        url=context.run.url,
        run=context.session.folder,
        rate_per_s=float(config.load.get("rate_per_s", LOAD_RATE_PER_S)),
        duration_s=duration_s,
        seed=context.run.seed,
        users=int(config.load.get("users", LOAD_USERS)),
        identities=_load_identities(context),
        options={"operations": _reads(context)},
    )

    def progress(elapsed_s: float, planned_s: float) -> None:
        context.advanced(int(elapsed_s), int(planned_s), 0, f"{plan.rate_per_s:g} requests a second")

    examination = load.examine(plan, objectives, locustfile, progress=progress, left_s=lambda: context.left_s)
    context.load_results += examination.results
    told = [verdict for verdict in examination.verdicts if _bound(context, verdict)] or list(examination.verdicts)
    return [context.run.tell(verdict) for verdict in told]


def judged(context: Context, known: Sequence[Verdict]) -> list[Verdict]:
    """The standing promises over the whole history; what is new there is shown again before it is told.

    Where it holds nothing for one that no driver was asked to examine, as in a load alone, nothing is told of it.
    """
    exchanges = history.exchanges(context.session.folder)
    by_id = {exchange.id: exchange for exchange in exchanges}
    seen = {finding.fingerprint: finding for verdict in known for finding in verdict.findings}
    asked = {(verdict.promise, verdict.operation) for verdict in known}
    told = []
    for verdict in judge.standing(context.run.contract, exchanges):
        if not verdict.examined and (verdict.promise, verdict.operation) not in asked:
            continue
        if context.only and not context.only & {verdict.promise, verdict.operation}:
            continue
        findings = tuple(
            seen.get(finding.fingerprint) or judge.reproducible(finding, exchanges, by_id)
            for finding in verdict.findings
        )
        told.append(replace(verdict, findings=findings))
    return told


def confirmed(context: Context, findings: Sequence[Finding]) -> list[Finding]:
    """Each finding shown again on fresh data where that can be, and none past the deadline; one of each kind first."""
    exchanges = history.exchanges(context.session.folder)
    by_id = {exchange.id: exchange for exchange in exchanges}
    result = []
    for number, finding in enumerate(one_of_each_first(findings)):
        whole = finding if finding.reproduction.steps else judge.reproducible(finding, exchanges, by_id)
        if context.left_s > 0 and not finding.code.startswith("objective."):
            whole = judge.confirmed(context.run, whole)
        context.advanced(number + 1, len(findings), len(findings), "shown again on fresh data")
        result.append(whole)
    return result


def _environment(context: Context) -> dict[str, str]:
    """The environment of a driver's process: the run to join, its deadline and what is selected."""
    told = replace(context.run.attachment, only=tuple(sorted(context.only)), deadline_ns=context.deadline_ns)
    return {**os.environ, VARIABLE: told.to_json()}


def _not_reached(context: Context) -> list[Verdict]:
    """An INCONCLUSIVE verdict for each promise × operation that was selected and of which nothing was told."""
    told = {(verdict.promise, verdict.operation) for verdict in verdicts(context.session.folder)}
    reason = OUT_OF_TIME if context.left_s <= 0 else "it was not reached" if told else NO_ITEMS
    return [
        Verdict(promise.key, operation.id, reason=reason, driver="pytest")
        for promise, operation in promised(context.run.contract)
        if promise.judge is not None
        and (promise.key, operation.id) not in told
        and (not context.only or context.only & {promise.key, operation.id})
    ]


def _doing(told: Sequence[Verdict]) -> str:
    return f"{told[-1].promise} of {told[-1].operation}" if told else "starting"


def _tail(log: Path) -> str:
    """The last lines that a driver's process printed."""
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-TAIL_LINES:])


def _fuzzed(log: Path) -> tuple[int, int, int, str]:
    """How far the fuzzing has come, by the last whole line that it printed."""
    for line in reversed(_tail(log).splitlines()):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            record = json.loads(line)
            return record["examined"], 0, record["findings"], f"{record['phase']} as {record['name']}"
    return 0, 0, 0, "starting"


def _load_identities(context: Context) -> tuple[Identity, ...]:
    """An identity of each role for the journey, all in one tenant, as far as they can be had."""
    stage = context.run.stage("load")
    found, reasons = [], []
    for role in context.run.actors.roles or ("",):
        try:
            found.append(obtain.obtained(context.run, stage.actors.with_role(stage, role), stage, "load"))
        except CannotTell as reason:
            reasons.append(str(reason))
    if not found and context.run.actors.told:
        raise HarnessError(f"no identity can be had: {'; '.join(dict.fromkeys(reasons))}")
    return tuple(found)


def _reads(context: Context) -> list[tuple[str, str, list[str]]]:
    """The reads that need no parameter, as (operation id, path, roles): what a load without a journey sends.

    Where this run has sent some already, only those that were served: no stream, none that nobody here may call.
    """
    able = [
        operation
        for operation in context.run.contract.operations
        if operation.method == "GET" and not any(parameter.required for parameter in operation.parameters)
    ]
    sent = history.exchanges(context.session.folder)
    served: dict[str, list[str]] = {}
    for exchange in sent:
        if exchange.outcome is Outcome.OK:
            served.setdefault(exchange.operation, list(exchange.request.identity.roles))
    reads = [operation for operation in able if operation.id in served] or able
    promised_of = {operation.id: context.run.contract.promise("roles", operation) for operation in reads}
    return [
        (item.id, item.path, list((promised_of[item.id] or {}).get("allow", served.get(item.id, ())))) for item in reads
    ]


def _bound(context: Context, verdict: Verdict) -> bool:
    """Whether the load is held to what it says of the operation: it was sent, or has an objective of its own."""
    operation = context.run.contract.by_id.get(verdict.operation)
    return bool(verdict.examined) or (
        operation is not None and declared(context.run.contract, objective.KEY, operation)
    )
