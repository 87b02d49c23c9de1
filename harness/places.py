"""The places of a request that may hold a value from elsewhere, and the same request with other values in them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from harness.contract import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.exchange import Request

CONDITIONS = {"if-match", "if-none-match"}
ID_NAME = re.compile(r"(?:[_-]?ids?|IDs?)$", re.IGNORECASE)
NO_IDS = {"paid", "valid", "invalid", "void", "avoid", "grid", "solid", "fluid", "hybrid", "bid", "bids", "kid", "kids"}


@dataclass(frozen=True, slots=True)
class Place:
    """A value in a request: `path:<segment>`, `query:<index>`, `header:<name>` or `body:<JSON Pointer>`.

    `noun` is what the value names as far as the place says so: `product` in `/products/7` and in `productId`.
    """

    at: str
    value: str
    noun: str = ""


def places(request: Request) -> Iterator[Place]:
    """Every place of a request that may hold a value from elsewhere; a bare number only where an id stands."""
    segments = request.path.split("/")
    for index, segment in enumerate(segments):
        if segment:
            yield Place(f"path:{index}", unquote(segment), singular(segments[index - 1]) if index else "")
    for index, (name, value) in enumerate(request.query):
        if not value.isdigit() or _is_id(name):
            yield Place(f"query:{index}", value, noun(f"/{name}"))
    for name, value in request.headers:
        if name.lower() in CONDITIONS:
            yield Place(f"header:{name.lower()}", value)
    for at, value in pointer.leaves(request.json()):
        if isinstance(value, bool) or not isinstance(value, str | int):
            continue
        if _is_id(_member(at)) or not str(value).removeprefix("-").isdigit():
            yield Place(f"body:{at}", str(value), noun(at))


def _member(at: str) -> str:
    """The name of the member at a pointer, that of the list where it stands in one."""
    return next((token for token in reversed(pointer.tokens(at)) if not token.isdigit()), "")


def _is_id(name: str) -> bool:
    return ID_NAME.search(name) is not None and name.lower() not in NO_IDS


def noun(at: str) -> str:
    """What a member names: `product` for `/items/0/productId`; empty for `/id`, which does not say."""
    return singular(ID_NAME.sub("", _member(at))) if _is_id(_member(at)) else ""


def singular(word: str) -> str:
    """A name for one of what a path segment or a list names."""
    return word.lower().rstrip("_-").removesuffix("s")


def with_values(request: Request, new: Mapping[str, str]) -> Request:
    """The request with new values in the places that are named, the rest as it was."""
    segments = [
        quote(new[f"path:{index}"], safe="") if f"path:{index}" in new else segment
        for index, segment in enumerate(request.path.split("/"))
    ]
    return replace(
        request,
        path="/".join(segments),
        query=tuple((name, new.get(f"query:{index}", value)) for index, (name, value) in enumerate(request.query)),
        headers=tuple((name, new.get(f"header:{name.lower()}", value)) for name, value in request.headers),
        body=_filled(request, new),
    )


def _filled(request: Request, new: Mapping[str, str]) -> bytes | None:
    """The body with the new values at their pointers, a number where one stood; as it was where none is in it."""
    places = {at.removeprefix("body:"): value for at, value in new.items() if at.startswith("body:")}
    if not places:
        return request.body
    body = request.json()
    for at, value in places.items():
        number = isinstance(pointer.get(body, at), int) and value.removeprefix("-").isdigit()
        body = pointer.put(body, at, int(value) if number else value)
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
