"""What pytest runs of a contract: every promise × operation that is examined by sending, each in its turn."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.drivers.promised import Promised
from harness.promises.catalogue import promised
from harness.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.run import Run

LEAST_SHARE_S = 1.0


def items(run: Run, workers: int) -> list[Promised]:
    """What was asked for, in the order of `_turn`, where so many workers share the time that is left."""
    share_s = max(LEAST_SHARE_S, run.left_s * workers / max(1, len(run.contract.operations)))
    watch = Watch(run)
    found = [
        Promised(run, promise, operation, watch, share_s)
        for promise, operation in promised(run.contract)
        if promise.judge is not None and run.selects(promise.key, operation.id)
    ]
    operations = Counter(item.promise.key for item in found)
    return sorted(found, key=lambda item: _turn(item, operations))


def _turn(item: Promised, operations: Mapping[str, int]) -> tuple[bool, bool, int]:
    """The survey first, then the promises of few operations: they cost little, and fail together where one does.

    What uses something up comes after the rest, and of that the longest first, as it mostly waits.
    What must run alone comes last: it would wait for those, and the others for it.
    """
    if not item.promise.exhausts:
        return False, False, 0 if item.promise.standing else operations[item.promise.key]
    cases = item.cases()
    return True, any(case.alone for case in cases), -len(cases)
