"""Serves the documentation page: rendered at start-up, under a policy that lets it load nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_impl.contract.page import POLICY, page
from reference_impl.edge.exchange import of
from reference_impl.edge.prepared import Prepared

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class DocsEndpoint:
    """Answers the page of a document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._prepared = Prepared(page(document), b"text/html; charset=utf-8")

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        exchange = of(scope)
        exchange.policy = POLICY.encode()
        await self._prepared.send(exchange, send)
