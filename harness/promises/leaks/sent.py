"""What the client itself sent, so that an echo of it, or data that it stored, is not taken for a leak."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from harness.contract import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.exchange import Exchange, Request

MIN_REMOVED = 4
LIMIT = 64 * 1024 * 1024


def texts(request: Request) -> Iterator[str]:
    """Every text of a request, as it stands and decoded: path, query, headers, body and the strings in it."""
    yield request.path
    yield unquote_plus(request.path)
    for name, value in (*request.query, *request.headers):
        yield name
        yield value
    if not request.body:
        return
    body = request.body.decode("utf-8", "replace")
    yield body
    if "%" in body or "+" in body:
        yield unquote_plus(body)
    try:
        parsed: Any = json.loads(body)
    except (ValueError, RecursionError):
        return
    for place, leaf in pointer.leaves(parsed):
        yield from pointer.tokens(place)
        if isinstance(leaf, str):
            yield leaf


def without(text: str, request: Request) -> str:
    """The text with everything that the request sent blanked out."""
    for sent in sorted(set(texts(request)), key=len, reverse=True):
        if len(sent) >= MIN_REMOVED and sent in text:
            text = text.replace(sent, "\0")
    return text


class Sent:
    """All texts that the given exchanges sent, joined when first asked for."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        self._exchanges = exchanges
        self._all: str | None = None
        self._known: dict[str, bool] = {}

    def holds(self, piece: str) -> bool:
        """Whether some request carried the piece."""
        if piece not in self._known:
            if self._all is None:
                self._all = "\0".join(text for one in self._exchanges for text in texts(one.request))[:LIMIT]
            self._known[piece] = piece in self._all
        return self._known[piece]
