"""Response times and error ratio under load: what was promised of an operation against what was measured.

A latency is counted from the due time. It breaks the promise only where it does so without the generator's own lag too,
and a finding needs two runs that say so: one run alone may have met a busy machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.finding import Confirmation, Finding, Reproduction, Severity
from harness.load.measurement import Limits, doubt, operation_doubt
from harness.promises.promise import Promise
from harness.verdict import Verdict

if TYPE_CHECKING:
    from harness.contract import Contract, Operation
    from harness.load.measurement import Measurement, OperationMeasurement

KEY = "objective"
DEFAULT: Mapping[str, float] = {"p95_ms": 200}
PERCENTILES = ("p50_ms", "p95_ms", "p99_ms")
NEEDED = 2
NOT_SENT = "the journey did not send this operation"
Objective = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Violation:
    """One member of the objective that was not kept: its finding code, its name, and both values in its unit."""

    code: str
    member: str
    promised: float
    seen: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What one run says of one operation: violations, or none; or the reason why it says nothing."""

    measured: OperationMeasurement | None
    violations: tuple[Violation, ...] = ()
    doubt: str = ""

    @property
    def holds(self) -> bool:
        """Whether this run kept the promise."""
        return not self.doubt and not self.violations


def violations(objective: Objective, measured: OperationMeasurement) -> tuple[Violation, ...]:
    """Each member of the objective that the measurement exceeds, latencies without the generator's lag."""
    found = []
    for member in PERCENTILES:
        if member in objective and measured.net is not None:
            seen = getattr(measured.net, member)
            if seen > objective[member]:
                found.append(Violation("objective.latency", member, objective[member], seen))
    if "error_ratio" in objective and measured.error_ratio > objective["error_ratio"]:
        found.append(Violation("objective.errors", "error_ratio", objective["error_ratio"], measured.error_ratio))
    return tuple(found)


def read(objective: Objective, operation: str, measurement: Measurement, limits: Limits) -> Reading:
    """What one run says of one operation.

    A violation stands even where the run is doubtful on other grounds than the generator; without one, whatever
    makes the figures doubtful makes the reading so.
    """
    measured = measurement.operation(operation)
    whole = doubt(measurement, limits)
    if whole or measured is None:
        return Reading(measured, doubt=whole or NOT_SENT)
    thin = operation_doubt(measured, limits)
    if thin:
        return Reading(measured, doubt=thin)
    found = violations(objective, measured)
    if found:
        return Reading(measured, found)
    return Reading(measured, doubt=_noise(objective, measured))


def settled(readings: Sequence[Reading]) -> bool:
    """Whether more runs could not change the verdict: two broke the promise, or more kept it than broke it."""
    return sum(bool(reading.violations) for reading in readings) >= NEEDED or _more_held(readings)


def verdict(
    operation: str,
    readings: Sequence[Reading],
    reproduction: Mapping[str, Any] | None = None,
    witnesses: Mapping[str, tuple[str, ...]] | None = None,
) -> Verdict:
    """The verdict of all runs; a member is found broken where two runs broke it.

    `witnesses` are exchange ids by finding code.
    """
    examined = sum(reading.measured.count for reading in readings if reading.measured)
    again = Reproduction(parameters={"driver": "load", "operation": operation, **(reproduction or {})})
    seen: dict[str, list[Violation]] = {}
    for reading in readings:
        for violation in reading.violations:
            seen.setdefault(violation.member, []).append(violation)
    shown = witnesses or {}
    findings = tuple(
        replace(_finding(operation, items, again), witnesses=shown.get(items[0].code, ()))
        for items in seen.values()
        if len(items) >= NEEDED
    )
    return Verdict(KEY, operation, examined, findings, "" if findings else _reason(readings), driver="load")


def _more_held(readings: Sequence[Reading]) -> bool:
    return sum(reading.holds for reading in readings) > sum(bool(reading.violations) for reading in readings)


def _reason(readings: Sequence[Reading]) -> str:
    if not readings:
        return "no load was run"
    if _more_held(readings):
        return ""
    doubts = [reading.doubt for reading in readings if reading.doubt]
    if doubts:
        return doubts[-1]
    broken = ", ".join(dict.fromkeys(item.member for reading in readings for item in reading.violations))
    if len(readings) == 1:
        return f"{broken} was exceeded in the one run that there was time for: {NEEDED} must say so"
    return f"{broken} was exceeded in one run of {len(readings)}: runs disagree"


def _noise(objective: Objective, measured: OperationMeasurement) -> str:
    """The reason where only the generator's own lag explains a latency above the objective; empty where none is."""
    if measured.latency is None:
        return "" if "error_ratio" in objective else "nothing was served: there is no latency to judge"
    for member in PERCENTILES:
        raw, net = getattr(measured.latency, member), getattr(measured.net, member)
        if member in objective and raw > objective[member] >= net:
            return f"{member} is {raw:.1f}, and {net:.1f} without the wait for a processor: the machine is too busy"
    return ""


def _finding(operation: str, items: Sequence[Violation], reproduction: Reproduction) -> Finding:
    first = items[0]
    values = " and ".join(_value(item.member, item.seen) for item in items)
    name = "error ratio" if first.member == "error_ratio" else first.member.removesuffix("_ms")
    return Finding(
        code=first.code,
        title=f"{operation}: {name} under load exceeds its objective",
        severity=Severity.MEDIUM,
        operation=operation,
        kind=first.member,
        promised=f"{name} is at most {_value(first.member, first.promised)}",
        seen=f"{name} was {values} in {len(items)} runs",
        reproduction=reproduction,
        confirmation=Confirmation.CONFIRMED,
    )


def _value(member: str, value: float) -> str:
    return f"{value:.2%}" if member == "error_ratio" else f"{value:.1f} ms"


def _applies(_contract: Contract, _operation: Operation) -> bool:
    """Every operation has the default objective; the load driver says which of them its journey sent."""
    return True


_MS = {"type": "number", "exclusiveMinimum": 0}
PROMISE = Promise(
    key=KEY,
    annotation={
        "type": "object",
        "properties": {
            **dict.fromkeys(PERCENTILES, _MS),
            "error_ratio": {"type": "number", "minimum": 0, "maximum": 1},
        },
        "minProperties": 1,
        "additionalProperties": False,
    },
    applies=_applies,
)
