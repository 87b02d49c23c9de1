"""The rows of latencies in a report."""

from __future__ import annotations

from harness.contract import Contract
from harness.latencies import latencies
from harness.load.measurement import Measurement, OperationMeasurement
from harness.load.quantile import Latency
from harness.verdict import Status, Verdict

CONTRACT = Contract(
    {
        "openapi": "3.1.0",
        "info": {"title": "One", "version": "1"},
        "paths": {
            "/one": {"get": {"operationId": "one", "responses": {}, "x-promises": {"objective": {"p95_ms": 50}}}},
            "/two": {"get": {"operationId": "two", "responses": {}}},
        },
    }
)


def measured(*operations: OperationMeasurement) -> Measurement:
    """A load of these operations."""
    return Measurement(operations, 300, 300, 10.0, 0.1, 0.2, 0.3)


def test_each_operation_beside_its_objective() -> None:
    """What was sent has a row with what was promised of it, or the default; its verdict is that of the objective."""
    fields = Latency.__dataclass_fields__
    latency = Latency(**{name: 0 if name == "count" else 12.5 for name in fields})  # type: ignore[arg-type]  # numbers all
    load = measured(
        OperationMeasurement("one", 200, 20.0, 1, 0, latency, latency),
        OperationMeasurement("two", 100, 10.0, 100, 0, None, None),
        OperationMeasurement("gone", 1, 0.1, 0, 0, None, None),
    )
    verdicts = [Verdict("objective", "one", 200), Verdict("roles", "two", 5), Verdict("objective", "two", reason="few")]
    one, two, gone = latencies(CONTRACT, load, verdicts)
    assert (one.p95_ms, one.objective_p95_ms, one.error_ratio, one.verdict) == (12.5, 50, 0.005, Status.PASS)
    assert (two.p95_ms, two.objective_p95_ms, two.verdict, two.reason) == (None, 200, Status.INCONCLUSIVE, "few")
    assert (gone.operation, gone.verdict) == ("gone", Status.INCONCLUSIVE)


def test_no_load_no_rows() -> None:
    """Where no load was measured there is nothing to show."""
    assert latencies(CONTRACT, None, []) == ()
