"""Cross-origin requests (WHATWG Fetch, 3.2): only origins of the settings may read, with credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_impl.edge.answers import send_empty
from reference_impl.edge.exchange import of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from reference_impl.contract.procedure import Headers
    from reference_impl.settings import Settings

# The answer to one origin is none for another, also where it carries no header of ours.
_VARY = (b"vary", b"Origin")
_EXPOSED = (
    b"X-Request-ID, ETag, Location, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, "
    b"X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Content-Range"
)
_SENT = (
    b"Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Last-Event-ID, Range, If-Range, "
    b"X-API-Key, X-CSRF-Token, X-Request-ID, X-Tenant-ID, X-ORPC-Batch"
)
_PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers", _SENT),
    (b"access-control-max-age", b"86400"),
)


class Cors:
    """Puts the headers on every answer, errors too, and answers the preflights of allowed origins."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._told = {origin: allowing(origin) for origin in settings.edge.cors_origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http":
            exchange = of(scope)
            exchange.response_headers.append(_VARY)
            told = self._allowed(exchange.headers.get("origin", ""))
            if told is not None:
                exchange.response_headers += told
                if exchange.method == "OPTIONS" and "access-control-request-method" in exchange.headers:
                    await send_empty(send, 204, _PREFLIGHT)
                    return
        await self._app(scope, receive, send)

    def _allowed(self, origin: str) -> Headers | None:
        return self._told.get(origin)


def allowing(origin: str) -> Headers:
    """Return the headers that let an origin read the answer."""
    return (
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", _EXPOSED),
    )
