"""Whether values stand in an order: numbers as numbers, times as instants, texts where every usual collation agrees."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from harness.contract.pointer import MISSING
from harness.promises.values import key

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST = "first"


def broken(values: Sequence[Any], *, descending: bool, nulls: str = "") -> int | None:
    """The index of the first value that stands before one that should come sooner; None where none does.

    Nulls are passed over where it is not told whether they come first or last.
    """
    held = [(index, None if value is MISSING else key(value)) for index, value in enumerate(values)]
    if not nulls:
        held = [pair for pair in held if pair[1] is not None]
    for (index, one), (_, two) in pairwise(held):
        if one is None or two is None:
            wrong = (two is None) != (one is None) and (one is None) != (nulls == FIRST)
        else:
            wrong = _before(one, two) if descending else _before(two, one)
        if wrong:
            return index
    return None


def _before(one: Any, two: Any) -> bool:
    """Whether one is surely less than two; values of two kinds are not, nor texts that collations order differently."""
    if isinstance(one, bool) or isinstance(two, bool):
        return isinstance(one, bool) and isinstance(two, bool) and one < two
    if isinstance(one, str) and isinstance(two, str):
        return _plain(one) and _plain(two) and one < two and one.casefold() < two.casefold()
    if isinstance(one, Decimal) != isinstance(two, Decimal) or isinstance(one, str) != isinstance(two, str):
        return False
    return bool(one < two)


def _plain(text: str) -> bool:
    """Whether every collation orders such texts as their characters: ASCII letters and digits, and spaces between."""
    return all(character.isascii() and (character.isalnum() or character == " ") for character in text)
