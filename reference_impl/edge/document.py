"""Serves a document of this API, rendered once: at start-up, or when it is asked for where nothing started up."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from reference_impl.edge.answers import send_bytes
from reference_impl.edge.exchange import of
from reference_impl.edge.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send


class DocumentEndpoint:
    """Answers the same bytes on every call, indented where that is asked for."""

    def __init__(self, render: Callable[[], bytes]) -> None:
        self._render = render

    @cached_property
    def prepared(self) -> Prepared:
        """The document as it is sent."""
        return Prepared(self._render(), b"application/json")

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        exchange = of(scope)
        if exchange.pretty:
            await send_bytes(send, 200, self.prepared.body, head=exchange.method == "HEAD", pretty=True)
        else:
            await self.prepared.send(exchange, send)
