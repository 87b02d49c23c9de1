"""Serves /metrics to the networks that the settings name; for everybody else there is no such path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST

from reference_impl.edge.exchange import of
from reference_impl.errors import not_found
from reference_impl.identity.addresses import trusted

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from reference_impl.observation.metrics import Metrics
    from reference_impl.settings.reader import Network


class MetricsEndpoint:
    """Answers Prometheus' text format."""

    def __init__(self, metrics: Metrics, networks: tuple[Network, ...]) -> None:
        self._metrics = metrics
        self._networks = networks

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        exchange = of(scope)
        if not trusted(exchange.address, self._networks):
            raise not_found("path")
        body = self._metrics.text()
        headers = [
            (b"content-type", CONTENT_TYPE_LATEST.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if exchange.method == "HEAD" else body})
