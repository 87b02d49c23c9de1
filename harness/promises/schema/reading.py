"""What a string on the wire may mean to a server: every JSON value that one of the common coercions makes of it."""

from __future__ import annotations

import contextlib
import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.contract import Contract

WORDS = {
    True: {"true", "1", "yes", "on", "y", "t"},
    False: {"false", "0", "no", "off", "n", "f"},
}
NOTHING = {"null", "none", "nil", "undefined"}
SEPARATORS = (",", " ", "|", ";", "\t")
BASES = {"0x": 16, "0o": 8, "0b": 2}


def kinds(contract: Contract, schema: Mapping[str, Any], depth: int = 0) -> set[str]:
    """The JSON types that a schema lets in; empty where it does not say."""
    schema = contract.schema(schema)
    declared = schema.get("type")
    if isinstance(declared, str):
        return {declared}
    if isinstance(declared, list):
        return {str(kind) for kind in declared}
    found: set[str] = set()
    for key in ("anyOf", "oneOf", "allOf"):
        for branch in schema.get(key, ()) if depth < 4 else ():  # noqa: PLR2004 - deeper nesting says nothing more
            found |= kinds(contract, branch, depth + 1)
    return found


def readings(text: str) -> Iterator[Any]:
    """The values of one string, the plainest first: number, boolean, null, the string itself, JSON."""
    yield from numbers(text)
    word = text.strip().casefold()
    for value, words in WORDS.items():
        if word in words:
            yield value
    if word in NOTHING:
        yield None
    yield text
    if text.strip() != text:
        yield text.strip()
    if word[:1] in {"[", "{", '"'}:
        try:
            yield json.loads(text)
        except (ValueError, RecursionError):
            return


def numbers(text: str) -> Iterator[int | float]:
    """The numbers that a string may be read as: `1`, `+1`, `01`, ` 1 `, `1.0`, `1e2`, `0x10`, `1_000`."""
    bare = text.strip()
    base = BASES.get(bare.lstrip("+-")[:2].lower(), 10)
    with contextlib.suppress(ValueError):  # not a whole number in this form, or one of too many digits
        yield int(bare, base)
    try:
        number = float(bare)
    except ValueError:
        return
    if math.isfinite(number):
        yield number
        if number.is_integer():
            yield int(number)


def lists(texts: Sequence[str]) -> Iterator[list[Any]]:
    """The arrays that the values of one parameter may be read as: repeated, or one value with a separator."""
    for parts in _parts(texts):
        yield [next(readings(part)) for part in parts]
        yield list(parts)


def _parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for separator in SEPARATORS:
        if any(separator in text for text in texts):
            yield [part for text in texts for part in text.split(separator)]
    yield texts


def is_unsure(text: str) -> bool:
    """Whether servers differ about a value altogether: empty, not finite, or not the text that was meant."""
    return (
        not text.strip()
        or text.strip().lstrip("+-").casefold() in {"nan", "inf", "infinity"}
        or any(character in "\ufffd\0" or "\ud800" <= character <= "\udfff" for character in text)
    )
