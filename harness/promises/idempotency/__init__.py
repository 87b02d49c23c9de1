"""The promise `idempotency`: a call that is sent again with its key has one effect and is answered as the first time.

Cases for calls at one instant, again, after a connection that was cut, with another body, by another caller, after a
refusal, and with a key that is missing, long or too long. Effects are counted in what a list shows, not by statuses.
Source: draft-ietf-httpapi-idempotency-key-header-07.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.promises.idempotency.annotation import ANNOTATION, KEY
from harness.promises.idempotency.cases import cases
from harness.promises.idempotency.judge import judge
from harness.promises.promise import Promise

if TYPE_CHECKING:
    from harness.contract import Contract, Operation


__all__ = ["PROMISE", "applies"]


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation says by which header a call is known again."""
    return isinstance(contract.promise(KEY, operation), dict)


PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, on_document=False)
