"""What a load run showed: for each operation its latencies and errors, for the whole how far the plan was kept."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness.load.quantile import NS_PER_MS, Latency, quantile, without_lag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.load.sample import Sample


@dataclass(frozen=True, slots=True)
class OperationMeasurement:
    """One operation under load.

    `latency` is counted from the due time over what was served and what timed out (with its time-out, a lower bound);
    a quick error does not make an operation look fast. `net` is the same without the generator's own lag. Both are None
    where nothing was served. `errors` had no answer or a 5xx; `refused` had a 4xx that the journey did not expect.
    """

    operation: str
    count: int
    rate_per_s: float
    errors: int
    refused: int
    latency: Latency | None
    net: Latency | None

    @property
    def error_ratio(self) -> float:
        """Errors in all requests of the operation."""
        return self.errors / self.count

    @property
    def refused_ratio(self) -> float:
        """Unexpected refusals in all requests of the operation."""
        return self.refused / self.count


@dataclass(frozen=True, slots=True)
class Measurement:
    """The judged part of one run. `planned` and `sent` are arrivals; rates are over the planned duration."""

    operations: tuple[OperationMeasurement, ...]
    planned: int
    sent: int
    duration_s: float
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float

    @property
    def planned_rate_per_s(self) -> float:
        """Arrivals a second that the timetable held."""
        return self.planned / self.duration_s

    @property
    def reached_rate_per_s(self) -> float:
        """Arrivals a second that were sent and ended."""
        return self.sent / self.duration_s

    def operation(self, name: str) -> OperationMeasurement | None:
        """One operation by its id; None where it was not sent."""
        return next((item for item in self.operations if item.operation == name), None)

    def to_record(self) -> dict[str, Any]:
        """The JSON object for run.json and reports."""
        return {
            **asdict(self),
            "planned_rate_per_s": self.planned_rate_per_s,
            "reached_rate_per_s": self.reached_rate_per_s,
        }


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run must reach to say anything."""

    min_samples: int = 100
    min_reached: float = 0.9
    max_lag_p99_ms: float = 100.0
    max_refused: float = 0.1
    min_samples_an_operation: int = 20


def measure(samples: Sequence[Sample], *, planned: int, duration_s: float) -> Measurement:
    """Measures the judged samples of a run, given in the order of their due times."""
    by_operation: dict[str, list[tuple[Sample, int]]] = defaultdict(list)
    for sample, net_ns in zip(samples, without_lag(samples), strict=True):
        by_operation[sample.operation].append((sample, net_ns))
    lags = sorted(sample.lag_ns for sample in samples) or [0]
    return Measurement(
        operations=tuple(_operation(name, by_operation[name], duration_s) for name in sorted(by_operation)),
        planned=planned,
        sent=len(samples),
        duration_s=duration_s,
        lag_p50_ms=quantile(lags, 0.5) / NS_PER_MS,
        lag_p99_ms=quantile(lags, 0.99) / NS_PER_MS,
        lag_max_ms=lags[-1] / NS_PER_MS,
    )


def doubt(measurement: Measurement, limits: Limits) -> str:
    """Why the whole run says nothing, with the value and the limit; empty where it does."""
    sent, planned = measurement.sent, measurement.planned
    if not sent:
        return "no request was sent"
    if sent < limits.min_samples:
        return f"only {sent} requests were sent: {limits.min_samples} are needed for a percentile"
    if sent < limits.min_reached * planned:
        return f"the load generator reached {sent} of {planned} planned requests: {limits.min_reached:.0%} are needed"
    if measurement.lag_p99_ms > limits.max_lag_p99_ms:
        return (
            f"the load generator was late by {measurement.lag_p99_ms:.1f} ms at p99: "
            f"above {limits.max_lag_p99_ms:g} ms it was the bottleneck"
        )
    return ""


def operation_doubt(measured: OperationMeasurement, limits: Limits) -> str:
    """Why one operation's figures say nothing; empty where they do."""
    if measured.count < limits.min_samples_an_operation:
        return f"only {measured.count} requests were sent: {limits.min_samples_an_operation} are needed"
    if measured.refused_ratio > limits.max_refused:
        return (
            f"{measured.refused} of {measured.count} requests were refused with a 4xx: "
            "the journey lacks identities, data or quota"
        )
    return ""


def to_text(measurement: Measurement) -> str:
    """A table for a terminal: a line an operation, latencies in ms from the due time."""
    rate, lag_ms = measurement.reached_rate_per_s, measurement.lag_p99_ms
    counts = "".join(f"{name:>8}" for name in ("count", "errors", "refused"))
    times = "".join(f"{name:>10}" for name in ("p50 ms", "p95 ms", "p99 ms", "max ms"))
    lines = [
        f"{measurement.sent} requests at {rate:.1f}/s, generator late by {lag_ms:.2f} ms at p99",
        f"{'operation':<32}{counts}{times}",
    ]
    for item in measurement.operations:
        latency = item.latency
        shown = (latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms) if latency else ()
        figures = "".join(f"{value:>10.2f}" for value in shown)
        lines.append(f"{item.operation:<32}{item.count:>8}{item.errors:>8}{item.refused:>8}{figures}")
    return "\n".join(lines)


def _operation(name: str, samples: Sequence[tuple[Sample, int]], duration_s: float) -> OperationMeasurement:
    served = [(sample.latency_ns, net_ns) for sample, net_ns in samples if sample.has_latency]
    return OperationMeasurement(
        operation=name,
        count=len(samples),
        rate_per_s=len(samples) / duration_s,
        errors=sum(sample.failed for sample, _ in samples),
        refused=sum(sample.refused for sample, _ in samples),
        latency=Latency.of(latency for latency, _ in served) if served else None,
        net=Latency.of(net for _, net in served) if served else None,
    )
