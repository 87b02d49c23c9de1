"""The latencies of a load as a report shows them: each operation's measurement beside what was promised of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.promises import objective
from harness.report import OperationLatency
from harness.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract import Contract
    from harness.load.measurement import Measurement
    from harness.verdict import Verdict


def latencies(
    contract: Contract, measurement: Measurement | None, verdicts: Sequence[Verdict]
) -> tuple[OperationLatency, ...]:
    """One row for each operation that was sent; milliseconds unrounded, counted from the due time."""
    told = {verdict.operation: verdict for verdict in verdicts if verdict.promise == objective.KEY}
    rows = []
    for item in measurement.operations if measurement else ():
        operation = contract.by_id.get(item.operation)
        promised = (contract.promise(objective.KEY, operation) if operation else None) or objective.DEFAULT
        verdict = told.get(item.operation)
        rows.append(
            OperationLatency(
                operation=item.operation,
                count=item.count,
                rate_per_s=item.rate_per_s,
                error_ratio=item.error_ratio,
                p50_ms=item.latency.p50_ms if item.latency else None,
                p95_ms=item.latency.p95_ms if item.latency else None,
                p99_ms=item.latency.p99_ms if item.latency else None,
                max_ms=item.latency.max_ms if item.latency else None,
                objective_p95_ms=promised.get("p95_ms"),
                verdict=verdict.status if verdict else Status.INCONCLUSIVE,
                reason=verdict.reason if verdict else "",
            )
        )
    return tuple(rows)
