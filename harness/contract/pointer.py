"""JSON Pointer (RFC 6901), with `*` for every member of a list or an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING: Any = object()


def escape(token: str) -> str:
    """One reference token, escaped."""
    return token.replace("~", "~0").replace("/", "~1")


def tokens(pointer: str) -> list[str]:
    """The reference tokens of a pointer, unescaped; none for the empty pointer."""
    if not pointer:
        return []
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.lstrip("#").split("/")[1:]]


def get(value: Any, pointer: str) -> Any:
    """The value at the pointer, or MISSING."""
    for token in tokens(pointer):
        value = _member(value, token)
        if value is MISSING:
            return MISSING
    return value


def find(value: Any, pointer: str) -> list[Any]:
    """Every value that the pointer meets, its `*` taken as any member, in document order."""
    return [found for _, found in walk(value, pointer)]


def walk(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """Every concrete pointer that matches, with its value."""
    yield from _walk(value, tokens(pointer), "")


def leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar of a JSON value with its pointer, in document order."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, f"{at}/{escape(str(key))}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from leaves(member, f"{at}/{index}")
    else:
        yield at, value


def put(value: Any, pointer: str, new: Any) -> Any:
    """A copy of the value in which the pointer's place holds the new value; missing objects are made."""
    path = tokens(pointer)
    if not path:
        return new
    head, rest = path[0], "".join(f"/{escape(token)}" for token in path[1:])
    if isinstance(value, list):
        index = len(value) if head == "-" else int(head)
        below = put(value[index] if index < len(value) else {}, rest, new)
        return [*value[:index], below, *value[index + 1 :]]
    members = value if isinstance(value, dict) else {}
    return {**members, head: put(members.get(head, {}), rest, new)}


def _walk(value: Any, path: list[str], at: str) -> Iterator[tuple[str, Any]]:
    if not path:
        yield at, value
        return
    token, rest = path[0], path[1:]
    if token == "*":  # noqa: S105 - a reference token of a pointer
        members = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
        for name, member in members:
            yield from _walk(member, rest, f"{at}/{escape(str(name))}")
        return
    member = _member(value, token)
    if member is not MISSING:
        yield from _walk(member, rest, f"{at}/{escape(token)}")


def _member(value: Any, token: str) -> Any:
    if isinstance(value, dict):
        return value.get(token, MISSING)
    if isinstance(value, list) and token.isdigit() and int(token) < len(value):
        return value[int(token)]
    return MISSING
