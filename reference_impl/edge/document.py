"""Serves a document of this API, rendered once at start-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_impl.edge.answers import send_bytes
from reference_impl.edge.exchange import of
from reference_impl.edge.prepared import Prepared

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class DocumentEndpoint:
    """Answers the same bytes on every call, indented where that is asked for."""

    def __init__(self, document: bytes) -> None:
        self._document = document
        self._prepared = Prepared(document, b"application/json")

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        exchange = of(scope)
        if exchange.pretty:
            await send_bytes(send, 200, self._document, head=exchange.method == "HEAD", pretty=True)
        else:
            await self._prepared.send(exchange, send)
