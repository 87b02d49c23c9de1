"""Tests that tell of a checklist's items: marked `@pytest.mark.checks("R1", …)`, recorded in the run's checks.jsonl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.checked import CHECKS_FILE
from harness.history import Journal

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from harness.run import Run

MARKER = "checks"
SELECTED_BY = "checklist"
LINE = f"{MARKER}(id, ...): the items of the review checklist that the test tells of"
_LONGEST = 300


def told_of(item: pytest.Item) -> tuple[str, ...]:
    """The ids of the items that a test tells of."""
    return tuple(str(name) for mark in item.iter_markers(MARKER) for name in mark.args)


def unselected(items: Sequence[pytest.Item], run: Run) -> list[pytest.Item]:
    """The marked tests of a run that was asked for something else."""
    return [] if run.selects(SELECTED_BY, "") else [item for item in items if told_of(item)]


def record(run: Run, item: pytest.Item, report: pytest.TestReport) -> None:
    """Write what became of a marked test, once: when it was called, or when it could not be."""
    ids = told_of(item)
    if not ids or (report.when != "call" and report.passed) or report.when == "teardown":
        return
    reason = "" if report.passed else str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    # The last line of a traceback says what was wrong; a reason is one line anyway.
    line = next((text for text in reversed(reason.splitlines()) if text.strip()), "").strip()
    journal = Journal(run.folder / CHECKS_FILE)
    for name in ids:
        journal.append(
            {
                "id": name,
                "test": item.name,
                "status": report.outcome,
                "reason": run.recorder.mask.value(line[:_LONGEST]),
            }
        )
    journal.close()
