"""Serves uploaded files: a name is given once, so they are kept for ever; revalidated, and in ranges (RFC 9110, 14)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reference_impl.edge.exchange import Exchange, of
from reference_impl.edge.prepared import matches
from reference_impl.errors import ApiError, not_found

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from reference_impl.objects.store import Objects

ROUTE = "/files/{tenant}/{name}"
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_KEPT = (b"cache-control", b"public, max-age=31536000, immutable")


class FileEndpoint:
    """Answers one file of one tenant; the store refuses every name that is not of its form, so no path escapes."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        exchange = of(scope)
        name = scope["path_params"]["name"]
        stored = await self._objects.read(scope["path_params"]["tenant"], name)
        if stored is None:
            raise not_found("file")
        tag = f'"{name}"'
        headers = [(b"etag", tag.encode()), _KEPT, (b"accept-ranges", b"bytes")]
        if matches(exchange.headers.get("if-none-match"), tag):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        status, body = 200, stored.data
        part = asked(exchange, tag, len(body))
        if part is not None:
            headers.append((b"content-range", b"bytes %d-%d/%d" % (part.start, part.stop - 1, len(body))))
            status, body = 206, body[part.start : part.stop]
        headers += [(b"content-type", stored.content_type.encode()), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if exchange.method == "HEAD" else body})


def asked(exchange: Exchange, tag: str, length: int) -> range | None:
    """Return the bytes that Range asks for, None for all; RANGE_NOT_SATISFIABLE when they lie outside."""
    told = exchange.headers.get("range")
    if told is None or exchange.method != "GET" or exchange.headers.get("if-range", tag) != tag:
        return None
    match = _RANGE.fullmatch(told.replace(" ", ""))
    if match is None or match[1] == match[2] == "":  # several ranges, or another unit: the whole file is an answer too
        return None
    if match[1] == "":
        first, last = max(0, length - int(match[2])), length - 1
    else:
        first, last = int(match[1]), min(int(match[2] or length), length - 1)
    if match[2] and match[1] and int(match[2]) < int(match[1]):
        return None
    if first >= length:
        unsatisfied = ((b"content-range", b"bytes */%d" % length),)
        raise ApiError("RANGE_NOT_SATISFIABLE", f"The file has {length} bytes.", headers=unsatisfied)
    return range(first, last + 1)
