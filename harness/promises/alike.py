"""Whether what a caller may not see answers as what does not exist: one real call held against two that name nothing.

What differs between the two absent ones is volatile (a request id, a time, a counter) and tells nothing.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.places import places

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from harness.exchange import Exchange

TOO_MANY, SERVER_ERROR = 429, 500
ABSENT, SHOWN = "absent", 5
CHANGED_DIGITS = 8
# Headers whose values go on by themselves; that they are there at all is still held against.
MOVING = re.compile(
    r"ratelimit|rate-limit|retry-after|^date$|^age$|^content-length$|^set-cookie$|request-?id|trace|^server-timing$|^via$"
    r"|^expires$|^last-modified$|nonce|^etag$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer's JSON leaves, or its text, and its headers by name; each as it came, and without the ids asked for."""

    leaves: Mapping[str, tuple[Any, Any]]
    headers: Mapping[str, tuple[Any, Any]]


def differences(real: Exchange, one: Exchange, other: Exchange) -> list[str] | None:
    """What tells the real call from the two absent ones, as phrases; empty where nothing does.

    None where they cannot be held against each other: no answer, a limit, a 5xx, or two absent ones unlike in status.
    """
    if any(item.status in {0, TOO_MANY} or item.status >= SERVER_ERROR for item in (real, one, other)):
        return None
    if one.status != other.status:
        return None
    if real.status != one.status:
        return [f"the status is {real.status} and not {one.status}"]
    mine, first, second = _bare(real, one), _bare(one, real), _bare(other, real)
    own = _unlike(mine.leaves, first.leaves, second.leaves)
    found = [f"the body has {place or 'a text'} of its own" for place in own]
    found += [f"the header {name} is of its own" for name in _unlike(mine.headers, first.headers, second.headers)]
    return found[:SHOWN]


def _unlike(
    real: Mapping[str, tuple[Any, Any]], one: Mapping[str, tuple[Any, Any]], other: Mapping[str, tuple[Any, Any]]
) -> list[str]:
    """The keys by which an answer stands out: there or not there, or unlike where both absent ones are alike."""
    stable = {key for key in one if key in other and _alike(one[key], other[key])}
    told = [key for key in stable if key not in real or not _alike(real[key], one[key])]
    if one.keys() == other.keys():
        told += [key for key in real if key not in one]
        told += [key for key in one if key not in real and key not in stable]
    return sorted(dict.fromkeys(told))


def _alike(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    """Whether two values are the same as they came, or but for the ids that were asked for."""
    return bool(one[0] == other[0] or one[1] == other[1])


def _bare(exchange: Exchange, compared: Exchange) -> _Answer:
    """The answer, beside it with every value that its request alone sent replaced by one word, in whatever case."""
    theirs = {place.at: place.value for place in places(compared.request)}
    own = {place.value for place in places(exchange.request) if theirs.get(place.at) != place.value}
    words = [re.escape(value) for value in sorted(own, key=len, reverse=True) if value]
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE) if words else None

    def both(value: Any) -> tuple[Any, Any]:
        if pattern is None or isinstance(value, bool) or not isinstance(value, str | int):
            return value, value
        return value, pattern.sub(ABSENT, str(value))

    assert exchange.response is not None, "an exchange without an answer is never compared"
    body = exchange.response.json()
    text = exchange.response.body.decode("utf-8", "replace")
    leaves = {at: both(value) for at, value in pointer.leaves(body)} if body is not None else {"": both(text)}
    headers: dict[str, tuple[Any, Any]] = {}
    for name, value in exchange.response.headers:
        headers[name.lower()] = both("" if MOVING.search(name) else value)
    return _Answer(leaves, headers)


def unlike(name: str, source: Random) -> str:
    """An id of the same form that names nothing: a number far off, else other characters of the same kinds."""
    if name.isdigit():
        return str(int(name) + 1_000_000 + source.randrange(1_000_000))
    tail = "".join(_another(character, source) for character in name[-CHANGED_DIGITS:])
    return name[:-CHANGED_DIGITS] + tail


def _another(character: str, source: Random) -> str:
    for kind in ("0123456789abcdef", "0123456789ABCDEF", string.ascii_lowercase, string.ascii_uppercase):
        if character in kind:
            return source.choice([other for other in kind if other != character])
    return character
