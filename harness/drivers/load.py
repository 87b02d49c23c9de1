"""Runs a load in a subprocess and says what it showed; Locust is imported there only, as its import patches a process.

The subprocess is ended when its time is over, when this process is interrupted, and when it is gone (harness/child.py).
"""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from harness import load
from harness.child import Child
from harness.exchange import Exchange, Outcome
from harness.history import FOLDER, lines
from harness.load.measurement import Limits, Measurement, doubt, measure
from harness.load.plan import SECRETS_VARIABLE, VARIABLE
from harness.load.sample import SUFFIX, merged, read_samples
from harness.promises import objective

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.load.plan import Plan
    from harness.verdict import Verdict

    Progress = Callable[[float, float], None]

GENERIC = Path(load.__file__).with_name("generic.py")
SET_UP_S = 30.0
START_S = 3.0
KILLED = 128
POLL_S = 0.1
MAX_RUNS = 3
WITNESSES = 3
LOG_TAIL_LINES = 3


class Status(StrEnum):
    """Whether a run can be judged."""

    OK = "ok"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What one run showed; `reason` says why it says nothing, empty where it does; `log` is what Locust printed."""

    measurement: Measurement
    reason: str
    exit_code: int | None
    log: Path
    samples: tuple[Path, ...]

    @property
    def status(self) -> Status:
        """OK where nothing stands against judging it."""
        return Status.INCONCLUSIVE if self.reason else Status.OK


@dataclass(frozen=True, slots=True)
class Examination:
    """All runs that a verdict took, and one verdict for each operation that promises an objective."""

    results: tuple[LoadResult, ...]
    verdicts: tuple[Verdict, ...]


def silent(_elapsed_s: float, _total_s: float) -> None:
    """A progress that shows nothing."""


def run_load(
    plan: Plan,
    locustfile: Path = GENERIC,
    *,
    limits: Limits | None = None,
    progress: Progress = silent,
) -> LoadResult:
    """Runs one plan; what it wrote stays in the run's history.

    `progress` is told (elapsed_s, planned_s) ten times a second. KeyboardInterrupt ends the subprocess and passes on;
    what it had written until then can be judged by `measure`.
    """
    folder = plan.run / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.glob(f"*{SUFFIX}"))
    place, log = plan.run / f"load-{plan.seed}.plan.json", plan.run / f"load-{plan.seed}.log"
    place.write_text(plan.to_json(), encoding="utf-8")
    command = [sys.executable, "-m", "locust", "-f", str(locustfile), "--headless", "--only-summary"]
    exit_code = _attend(plan, [*command, "--host", plan.url, "-u", "1", "-r", "1"], place, log, progress)
    samples = tuple(sorted(set(folder.glob(f"*{SUFFIX}")) - before))
    measurement = _measured(samples, plan)
    reason = _reason(exit_code, log) or doubt(measurement, limits or Limits())
    return LoadResult(measurement, reason, exit_code, log, samples)


def examine(
    plan: Plan,
    objectives: Mapping[str, Mapping[str, float]],
    locustfile: Path = GENERIC,
    *,
    limits: Limits | None = None,
    progress: Progress = silent,
    left_s: Callable[[], float] = lambda: math.inf,
) -> Examination:
    """Runs a plan until each operation's objective (by operation id) is settled, at most three times.

    One run settles it where all objectives hold; each further run has a seed of its own, and is left out where the
    seconds that `left_s` tells do not hold it.
    """
    bounds = limits or Limits()
    above_ms = min((promised["p95_ms"] for promised in objectives.values() if "p95_ms" in promised), default=None)
    plan = replace(plan, whole_above_ms=above_ms)
    readings: dict[str, list[objective.Reading]] = {operation: [] for operation in objectives}
    results: list[LoadResult] = []
    for number in range(MAX_RUNS):
        if number and left_s() < plan.warm_up_s + plan.duration_s + START_S:
            break
        result = run_load(replace(plan, seed=plan.seed + number), locustfile, limits=bounds, progress=progress)
        results.append(result)
        for operation, promised in objectives.items():
            reading = objective.read(promised, operation, result.measurement, bounds)
            readings[operation].append(
                replace(reading, violations=(), doubt=result.reason) if result.reason else reading
            )
        if all(objective.settled(items) or _never_served(items) for items in readings.values()):
            break
    again = {"rate_per_s": plan.rate_per_s, "duration_s": plan.duration_s, "seed": plan.seed, "file": locustfile.name}
    written = [exchange for result in results for exchange in _written(result)]
    verdicts = tuple(
        objective.verdict(operation, items, again, _witnesses(operation, written))
        for operation, items in readings.items()
    )
    return Examination(tuple(results), verdicts)


def _never_served(readings: list[objective.Reading]) -> bool:
    """Another run would not be served either: the journey has no such step, or every request of it was refused."""
    measured, told = readings[-1].measured, readings[-1].doubt
    if measured is None:
        return told == objective.NOT_SENT
    return bool(told) and measured.count > 0 and measured.refused == measured.count


def _written(result: LoadResult) -> list[Exchange]:
    places = [path.with_name(path.name.replace(SUFFIX, ".jsonl")) for path in result.samples]
    return [Exchange.from_record(record) for place in places for record in lines(place)]


def _witnesses(operation: str, written: Iterable[Exchange]) -> dict[str, tuple[str, ...]]:
    """By finding code, the ids of the exchanges that show it best: failures, and the slowest answers."""
    own = sorted(
        (exchange for exchange in written if exchange.operation == operation),
        key=lambda exchange: exchange.due_ns - exchange.done_ns,
    )
    failed = [exchange.id for exchange in own if exchange.outcome is Outcome.UNKNOWN]
    return {
        "objective.latency": tuple(item.id for item in own[:WITNESSES]),
        "objective.errors": tuple(failed[:WITNESSES]),
    }


def _attend(plan: Plan, command: Sequence[str], place: Path, log: Path, progress: Progress) -> int | None:
    """Runs the command to its end; its exit code, or None where it did not end in its time and was made to."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    packages = str(Path(load.__file__).parents[2])
    paths = os.pathsep.join(filter(None, (packages, kept.get("PYTHONPATH", ""))))
    told = {VARIABLE: str(place), SECRETS_VARIABLE: plan.secrets_to_json(), "PYTHONPATH": paths}
    planned_s, start_s = plan.warm_up_s + plan.duration_s, time.monotonic()
    with log.open("wb") as output, Child(command, environment={**kept, **told}, output=output) as child:
        while True:
            exit_code = child.wait(POLL_S)
            elapsed_s = time.monotonic() - start_s
            if exit_code is not None or elapsed_s > planned_s + plan.timeout_s + SET_UP_S:
                return exit_code
            progress(elapsed_s, planned_s)


def _measured(files: Iterable[Path], plan: Plan) -> Measurement:
    parts = [read_samples(path) for path in files]
    return measure(merged(parts), planned=plan.timetable.planned(), duration_s=plan.duration_s)


def _reason(exit_code: int | None, log: Path) -> str:
    if exit_code is None:
        return "the load generator did not end in its time"
    if exit_code > KILLED:
        return f"the load generator was killed by {signal.Signals(exit_code - KILLED).name}"
    if exit_code:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        told = [line for line in lines if "ERROR" in line or "Error" in line] or lines
        return f"the load generator ended with {exit_code}: {' / '.join(told[-LOG_TAIL_LINES:])[:400]}"
    return ""
