"""Serves the OpenAPI document, rendered once at start-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_impl.edge.answers import send_bytes
from reference_impl.edge.exchange import of

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class DocumentEndpoint:
    """Answers the same bytes on every call."""

    def __init__(self, document: bytes) -> None:
        self._document = document

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        exchange = of(scope)
        await send_bytes(send, 200, self._document, head=exchange.method == "HEAD", pretty=exchange.pretty)
