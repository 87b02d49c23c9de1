"""The promise `cache`: what a read shows is never older than promised, and never another's.

Cases change a thing and read it, in each form of the query and over many connections, so that several workers answer:
after an acknowledged write, beside one, and until the declared age is over; in two tenants and by two callers; and with
the entity tag that was seen. What an answer may show is a model of writes and instants that reads no clock.
Sources: RFC 9110 (8.8.3, 13.1.2, 15.4.5), RFC 9111 (4.1, 5.1, 5.2), and Terry et al. 1994 for "read your writes" and
"monotonic reads".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.promises.cache.annotation import ANNOTATION, KEY
from harness.promises.cache.cases import cases
from harness.promises.cache.judge import judge
from harness.promises.promise import Promise

if TYPE_CHECKING:
    from harness.contract import Contract, Operation


__all__ = ["PROMISE", "applies"]


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation says how old its answer may be."""
    return isinstance(contract.promise(KEY, operation), dict)


PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, on_document=False)
