"""What names tell: the resource that a member, a parameter or a path's segment is named after."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from harness.contract.resource import singular

if TYPE_CHECKING:
    from harness.contract.contract import Contract
    from harness.contract.resource import Resource

REFERENCE = re.compile(r"(.+?)(?:_ids?|Ids?|ID|-id)")


def referred(contract: Contract, name: str) -> Resource | None:
    """The resource that a member or parameter name refers to: `categoryId`, `category_id`, `category_ids`."""
    match = REFERENCE.fullmatch(name)
    return named(contract, match[1]) if match else None


def named(contract: Contract, word: str) -> Resource | None:
    """The resource of a name, written in any case, one or many."""
    wanted = plain(word)
    return next(
        (r for r in contract.resources if r.create and wanted in {plain(r.name), plain(singular(r.name))}), None
    )


@lru_cache(maxsize=1 << 14)
def plain(word: str) -> str:
    """A name for one, without case and signs: `Categories` and `category` are one."""
    return re.sub(r"[^a-z0-9]", "", singular(word.lower()))
