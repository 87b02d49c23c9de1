"""The promise `rate-limit`: admissions fit the declared model, headers tell the truth, keys do not share a quota."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.promises.promise import Promise
from harness.promises.rate_limit.annotation import ANNOTATION, KEY, limits
from harness.promises.rate_limit.cases import case_of, cases
from harness.promises.rate_limit.judge import judge
from harness.promises.rate_limit.schedule import strategy

if TYPE_CHECKING:
    from harness.contract import Contract, Operation


__all__ = ["PROMISE", "applies", "limits"]


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether any limit is declared for the operation."""
    return bool(contract.promise(KEY, operation))


PROMISE = Promise(
    key=KEY,
    annotation=ANNOTATION,
    applies=applies,
    judge=judge,
    cases=cases,
    exhausts=True,
    strategy=strategy,
    case_of=case_of,
)
