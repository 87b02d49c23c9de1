"""The promise `ledger`: conserved, never overdrawn, drawn whole or not at all, at the catalogue's amount."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.promises.ledger.annotation import ANNOTATION, KEY
from harness.promises.ledger.cases import case_of, cases, strategy
from harness.promises.ledger.judge import judge
from harness.promises.promise import Promise

if TYPE_CHECKING:
    from harness.contract import Contract, Operation


__all__ = ["PROMISE", "applies"]


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation draws from a quantity that is declared."""
    return isinstance(contract.promise(KEY, operation), dict)


PROMISE = Promise(
    key=KEY,
    annotation=ANNOTATION,
    applies=applies,
    judge=judge,
    cases=cases,
    on_document=False,
    strategy=strategy,
    case_of=case_of,
)
