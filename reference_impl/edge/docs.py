"""Serves the documentation page: rendered once, as the documents are, under a policy that lets it load nothing."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from reference_impl.contract.page import POLICY, page
from reference_impl.edge.exchange import of
from reference_impl.edge.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send


class DocsEndpoint:
    """Answers the page of a document."""

    def __init__(self, render: Callable[[], bytes]) -> None:
        self._render = render

    @cached_property
    def prepared(self) -> Prepared:
        """The page as it is sent."""
        return Prepared(page(msgspec.json.decode(self._render())), b"text/html; charset=utf-8")

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        exchange = of(scope)
        exchange.policy = POLICY.encode()
        await self.prepared.send(exchange, send)
