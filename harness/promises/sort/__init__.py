"""The promise `sort`: a list is in the order that was asked for, over all its pages, and equal things keep one order.

Numbers are compared as numbers and times as instants; texts only where every usual collation orders them alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.promises.promise import Promise
from harness.promises.sort.cases import cases
from harness.promises.sort.judgement import judge
from harness.promises.sort.orders import ANNOTATION, KEY

if TYPE_CHECKING:
    from harness.contract import Contract, Operation


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation says in what order its list comes."""
    return contract.promise(KEY, operation) is not None


PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, on_document=False)
