"""Compresses text answers over a size in the coding that the client prefers: zstd, br or gzip.

A compressed answer is another representation, so its strong entity tag gets the coding as suffix (`"3-gzip"`), and the
suffix is taken off what a client sends back: procedures compare versions and know no codings.
"""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING

import brotli  # type: ignore[import-untyped]  # the package carries no types
import zstandard

from reference_impl.edge.exchange import of
from reference_impl.edge.preferences import CODINGS, coding, refuses_identity
from reference_impl.errors import ApiError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reference_impl.settings import Settings

_VARY = (b"vary", b"Accept-Encoding")
_TEXT = (b"application/json", b"text/", b"application/javascript", b"image/svg+xml")
_NO_BODY = frozenset({204, 206, 304})
# From here on a thread compresses, so that others are served meanwhile.
_BESIDE_BYTES = 262_144
_SUFFIXES = tuple(f'-{name}"' for name in CODINGS)


def compressed(body: bytes, name: str) -> bytes:
    """Return a body in a coding, at the level where time and size are in balance for answers made on request."""
    if name == "zstd":
        return zstandard.ZstdCompressor(level=3).compress(body)
    if name == "br":
        return bytes(brotli.compress(body, quality=4))
    return gzip.compress(body, compresslevel=5, mtime=0)


def without_suffix(tags: str) -> str:
    """Return entity tags without the suffixes of codings."""
    for suffix in _SUFFIXES:
        tags = tags.replace(suffix, '"')
    return tags


class Compression:
    """Wraps `send` only where the client takes a coding."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._from_bytes = settings.edge.compress_from_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = of(scope)
        exchange.response_headers.append(_VARY)
        for name in ("if-match", "if-none-match"):
            if name in exchange.headers:
                exchange.headers[name] = without_suffix(exchange.headers[name])
        asked = exchange.headers.get("accept-encoding")
        chosen = coding(asked)
        if chosen is None:
            raise ApiError("NOT_ACCEPTABLE", f"The codings served are {', '.join(CODINGS)} and identity.")
        if chosen != "identity":
            from_bytes = 0 if refuses_identity(asked) else self._from_bytes
            send = Compressor(send, chosen, from_bytes, head=exchange.method == "HEAD").send
        await self._app(scope, receive, send)


class Compressor:
    """Holds the start of one answer back until its body is seen."""

    def __init__(self, send: Send, coding: str, from_bytes: int, *, head: bool) -> None:
        self._send = send
        self._coding = coding
        self._from_bytes = from_bytes
        self._head = head
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        """Pass a message on, changed where the answer is compressed."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._start is not None:
            start, self._start = self._start, None
            length = _length(start)
            if not message.get("more_body", False) and length >= max(1, self._from_bytes) and _fits(start):
                message = await self._changed(start, message)
            await self._send(start)
        await self._send(message)

    async def _changed(self, start: Message, message: Message) -> Message:
        body = b""
        if not self._head:
            plain: bytes = message["body"]
            beside = len(plain) >= _BESIDE_BYTES
            body = (
                await asyncio.to_thread(compressed, plain, self._coding) if beside else compressed(plain, self._coding)
            )
        headers = [(name, _tag(value, self._coding) if name == b"etag" else value) for name, value in start["headers"]]
        headers = [header for header in headers if header[0] != b"content-length"]
        headers.append((b"content-encoding", self._coding.encode()))
        if not self._head:  # what a GET would have is known only by doing it
            headers.append((b"content-length", b"%d" % len(body)))
        start["headers"] = headers
        return {**message, "body": body}


def _length(start: Message) -> int:
    """Return the Content-Length, 0 without one."""
    return next((int(value) for name, value in start["headers"] if name == b"content-length"), 0)


def _fits(start: Message) -> bool:
    """Say whether an answer is text that no coding is on yet."""
    if start["status"] in _NO_BODY:
        return False
    told = dict(start["headers"])
    kind = told.get(b"content-type", b"")
    return kind.startswith(_TEXT) and not kind.startswith(b"text/event-stream") and b"content-encoding" not in told


def _tag(tag: bytes, coding: str) -> bytes:
    """Return the entity tag of the compressed representation; a weak one holds for both."""
    return tag[:-1] + b"-" + coding.encode() + b'"' if tag.startswith(b'"') else tag
