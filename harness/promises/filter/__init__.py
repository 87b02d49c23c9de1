"""The promise `filter`: what comes back fulfils the filter, what fulfils it comes back, and the total counts just that.

Fresh things that differ in what a parameter looks at are planted, among them texts that a pattern, a quotation or a
folding of letters would take for something else, and asked for by each of their values and by two parameters at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.promises.filter.cases import cases
from harness.promises.filter.judgement import judge
from harness.promises.filter.rules import ANNOTATION, KEY
from harness.promises.promise import Promise

if TYPE_CHECKING:
    from harness.contract import Contract, Operation


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation says what its parameters leave out."""
    return contract.promise(KEY, operation) is not None


PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, on_document=False)
