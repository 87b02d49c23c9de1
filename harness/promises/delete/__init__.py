"""The promise `delete`: after it a thing is nowhere, and what else follows is as declared.

Where nothing is declared, of a resource that can be deleted those laws alone are judged that its declaration, or any
API, keeps: it is not read, not in its list, takes no update, and no body can refer to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.promises.delete.cases import cases
from harness.promises.delete.judgement import judge
from harness.promises.delete.terms import ANNOTATION, KEY, terms
from harness.promises.promise import Promise

if TYPE_CHECKING:
    from harness.contract import Contract, Operation


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation deletes what can be made and read; false switches it off."""
    if False in (operation.promises.get(KEY), contract.defaults.get("resource")):
        return False
    return terms(contract, operation) is not None


PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, on_document=False)
