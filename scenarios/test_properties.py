"""Transactions and rate limits under generated programs: what Hypothesis draws, driven by concurrent clients.

For every operation that declares a `ledger`: quantities are conserved, nothing is drawn twice or below zero, a draw is
whole or not at all. For a few that declare a `rate-limit`: what a schedule of calls is given fits the pure model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.drivers import properties
from harness.drivers.turns import beside
from harness.promises import ledger, rate_limit
from harness.verdict import Status

if TYPE_CHECKING:
    from harness.contract import Operation
    from harness.promises.promise import Promise
    from harness.run import Run

PROGRAMS = 12
SCHEDULES = 2
SMALL_QUOTA = 50
SHORT_WINDOW_S = 5


def _holds(run: Run, promise: Promise, operation: Operation, max_examples: int) -> None:
    """Searches; fails with the smallest program that shows a fault, skips with the reason where nothing can be told."""
    if not run.selects(promise.key, operation.id):
        pytest.skip("it was not selected")
    with beside(run, alone=False):
        verdict = properties.search(
            promise,
            run.contract,
            operation,
            run.stage,
            run.recorder,
            seed=run.seed,
            max_examples=max_examples,
            budget_s=max(0.0, min(run.left_s, properties.BUDGET_S)),
        ).verdict
    verdict = run.tell(verdict)
    if verdict.status is Status.FAIL:
        told = [f"{item.code}: {item.seen}\n  {dict(item.reproduction.parameters)}" for item in verdict.findings]
        pytest.fail("\n".join(told), pytrace=False)
    if verdict.status is Status.INCONCLUSIVE:
        pytest.skip(f"INCONCLUSIVE: {verdict.reason or 'nothing was examined'}")


def test_transactions_conserve(run: Run) -> None:
    """Whatever concurrent clients order and cancel, stock is conserved, never oversold, and an order is whole."""
    drawing = [operation for operation in run.contract.operations if ledger.applies(run.contract, operation)]
    if not drawing:
        pytest.skip("no operation declares a ledger")
    for operation in drawing:
        _holds(run, ledger.PROMISE, operation, PROGRAMS)


def test_schedules_fit_the_declared_limit(run: Run) -> None:
    """Whatever schedule of calls is drawn, admissions fit the pure model of the declared limit."""
    small = [
        operation
        for operation in run.contract.operations
        for limit in rate_limit.limits(run.contract, operation)[:1]
        if limit.quota <= SMALL_QUOTA and limit.window_s <= SHORT_WINDOW_S
    ]
    if not small:
        pytest.skip("no operation declares a limit that is small enough to be used up by drawn schedules")
    _holds(run, rate_limit.PROMISE, run.random("schedules").choice(small), SCHEDULES)
