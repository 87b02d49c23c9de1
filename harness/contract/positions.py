"""The line and column of every value of a JSON or YAML text, by its JSON pointer."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from harness.contract import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]|[^\s{}\[\],:"]+')
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEEPEST = 200


Position = tuple[int, int]


def positions(text: bytes) -> dict[str, Position]:
    """For each pointer the line and column, from 1, at which its member's name or its list item begins.

    Empty where the text is neither JSON nor YAML.
    """
    try:
        whole = text.decode()
        json.loads(whole)
    except ValueError:
        return _yaml(text)
    return _json(whole)


@dataclass(slots=True)
class _Open:
    """An object or list that is being read: where it is, the member it is at, and whether a name comes next."""

    at: str
    is_list: bool
    index: int = 0
    member: str = ""
    named: bool = False


def _json(text: str) -> dict[str, Position]:
    """The positions of a valid JSON text, token by token."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    found: dict[str, Position] = {"": (1, 1)}
    stack: list[_Open] = []
    for match in TOKEN.finditer(text):
        token, line = match[0], bisect_right(starts, match.start())
        here = (line, match.start() - starts[line - 1] + 1)
        top = stack[-1] if stack else None
        if token in {"}", "]"}:
            stack.pop()
        elif token == ",":  # noqa: S105 - a sign of JSON
            if top is not None:
                top.index, top.named = top.index + 1, False
        elif top is not None and not top.is_list and not top.named:
            top.member, top.named = json.loads(token), True
            found[f"{top.at}/{pointer.escape(top.member)}"] = here
        else:
            at = ""
            if top is not None:
                at = f"{top.at}/{top.index if top.is_list else pointer.escape(top.member)}"
                if top.is_list:
                    found[at] = here
            if token in {"{", "["}:
                stack.append(_Open(at, is_list=token[0] == "["))
    return found


def _yaml(text: bytes) -> dict[str, Position]:
    try:
        root = yaml.compose(text, Loader=LOADER)
    except (yaml.YAMLError, UnicodeDecodeError):
        return {}
    return {"": (1, 1), **dict(_nodes(root, "", 0))} if root is not None else {}


def _nodes(node: yaml.Node, at: str, depth: int) -> Iterator[tuple[str, Position]]:
    """The positions below a node; an alias is read at each place that it stands in, up to a depth."""
    if depth > DEEPEST:
        return
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = f"{at}/{pointer.escape(str(key.value))}"
            yield place, _begins(key)
            yield from _nodes(value, place, depth + 1)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield f"{at}/{index}", _begins(item)
            yield from _nodes(item, f"{at}/{index}", depth + 1)


def _begins(node: yaml.Node) -> Position:
    return node.start_mark.line + 1, node.start_mark.column + 1
