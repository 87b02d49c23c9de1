"""Answers what the end of the server cuts short: an envelope, and not a bare 500."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reference_impl.edge.exchange import of
from reference_impl.errors import unavailable

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class Ended:
    """Turns the cancellation of a request whose grace is over into UNAVAILABLE, unless its response has begun."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if scope["type"] != "http" or of(scope).status:
                raise
            raise unavailable("The server ends.") from None
