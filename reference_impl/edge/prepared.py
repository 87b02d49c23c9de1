"""Bytes that never change while the server runs: tagged, revalidated, and compressed once a coding."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from reference_impl.edge.compression import compressed, without_suffix
from reference_impl.edge.preferences import coding

if TYPE_CHECKING:
    from starlette.types import Send

    from reference_impl.edge.exchange import Exchange


def matches(if_none_match: str | None, tag: str) -> bool:
    """Say whether If-None-Match names a tag; it compares weakly (RFC 9110, 13.1.2)."""
    if if_none_match is None:
        return False
    named = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    return tag in named or "*" in named


class Prepared:
    """One body, in gzip from the start and in another coding from the first time it is asked for."""

    def __init__(self, body: bytes, content_type: bytes) -> None:
        self._content_type = content_type
        self._digest = hashlib.sha256(body).hexdigest()[:32]
        self._bodies = {"identity": body, "gzip": compressed(body, "gzip")}

    @property
    def body(self) -> bytes:
        """The bytes without a coding."""
        return self._bodies["identity"]

    async def send(self, exchange: Exchange, send: Send) -> None:
        """Answer with the body, or with 304 where the client has it."""
        chosen = coding(exchange.headers.get("accept-encoding")) or "identity"
        if chosen not in self._bodies:
            self._bodies[chosen] = compressed(self._bodies["identity"], chosen)
        tag = f'"{self._digest}"' if chosen == "identity" else f'"{self._digest}-{chosen}"'
        headers = [(b"etag", tag.encode()), (b"cache-control", b"no-cache")]
        if matches(exchange.headers.get("if-none-match"), without_suffix(tag)):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        body = self._bodies[chosen]
        headers += [(b"content-type", self._content_type), (b"content-length", b"%d" % len(body))]
        if chosen != "identity":
            headers.append((b"content-encoding", chosen.encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if exchange.method == "HEAD" else body})
