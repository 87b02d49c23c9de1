"""A request made otherwise in one place: a query parameter, a path parameter, a member of its body."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from harness.contract import pointer
from harness.promises.wrong_values import TWICE, UNIQUE

if TYPE_CHECKING:
    from harness.contract import Operation
    from harness.exchange import Request
    from harness.promises.wrong_values import Wrong

MAX_LABEL = 20


def with_query(base: Request, name: str, text: str | None) -> Request:
    """The request with a query parameter set; None takes it away."""
    others = tuple(pair for pair in base.query if pair[0] != name)
    label = "absent" if text is None else text if len(text) < MAX_LABEL else "long"
    query = others if text is None else (*others, (name, text))
    return replace(base, query=query, step=f"{base.step} query {name} {label}")


def with_path(base: Request, operation: Operation, name: str, text: str) -> Request:
    """The request with a path parameter set."""
    path = operation.path
    for key, value in {**path_values(operation, base), name: text}.items():
        path = path.replace(f"{{{key}}}", quote(value, safe=""))
    return replace(base, path=path, step=f"{base.step} path {name}")


def path_values(operation: Operation, request: Request) -> dict[str, str]:
    """The values of the path's parameters, decoded; none where the path is not the operation's.

    A tenant may stand before it.
    """
    parts = re.split(r"\{([^{}]+)\}", operation.path)
    pattern = "".join("([^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    match = re.search(rf"{pattern}\Z", request.path)
    return {name: unquote(value) for name, value in zip(parts[1::2], match.groups(), strict=True)} if match else {}


def with_member(base: Request, place: str, value: Any) -> Request:
    """The request with a value at a JSON pointer of its body."""
    return replace(base, body=dumped(pointer.put(base.json(), place, value)))


def with_wrong(base: Request, wrong: Wrong) -> Request | None:
    """The request with one wrong value, or an item twice, in its body; None where the body has no such place."""
    body = base.json()
    parent, _, last = wrong.place.rpartition("/")
    holder = pointer.get(body, parent)
    token = pointer.tokens(f"/{last}")[0]
    step = f"{base.step} body {wrong.label}"
    if wrong.remove:
        if not isinstance(holder, dict) or token not in holder:
            return None
        rest = {key: value for key, value in holder.items() if key != token}
        return replace(base, body=dumped(pointer.put(body, parent, rest)), step=step)
    if not isinstance(holder, dict) and pointer.get(body, wrong.place) is pointer.MISSING:
        return None
    value = wrong.value
    if wrong.rule in {"maxItems", TWICE, UNIQUE}:
        held = pointer.get(body, wrong.place)
        if not isinstance(held, list) or not held:
            return None
        value = [held[0]] * value
    return replace(base, body=dumped(pointer.put(body, wrong.place, value)), step=step)


def dumped(value: Any) -> bytes:
    """The JSON of a body."""
    return json.dumps(value, ensure_ascii=False).encode()
