"""OpenTelemetry: a span a request and one a write, sent to a collector; loaded only where the settings name one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from starlette.types import ASGIApp, Receive, Scope, Send

_PARENTS = (b"traceparent", b"tracestate")
# A collector that does not answer is given up on: spans are lost then, and neither memory nor the end waits for it.
_EXPORT_S = 2.0
_CLOSE_S = 2.0


class Traces:
    """The tracer of one application."""

    def __init__(self, url: str) -> None:
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": "reference-api"}), shutdown_on_exit=False
        )
        self._exporter = OTLPSpanExporter(endpoint=url, timeout=_EXPORT_S)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("reference_impl")
        self._propagator = TraceContextTextMapPropagator()

    def request(self, scope: Scope) -> AbstractContextManager[Any]:
        """Return the span of a request, a child of the one that its traceparent names (W3C Trace Context)."""
        told = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _PARENTS}
        parent = self._propagator.extract(told) if told else None
        return self._tracer.start_as_current_span(scope["method"], parent, SpanKind.SERVER, record_exception=False)

    def work(self, name: str) -> AbstractContextManager[Any]:
        """Return the span of a piece of work within the present one."""
        return self._tracer.start_as_current_span(name, record_exception=False)

    def close(self) -> None:
        """Send what is left, within seconds, and end the sender."""
        late = threading.Timer(_CLOSE_S, self._exporter.shutdown)
        late.start()
        try:
            self._provider.shutdown()
        finally:
            late.cancel()


class Tracing:
    """Stands around all layers, since only after them is it known what was answered."""

    def __init__(self, app: ASGIApp, traces: Traces) -> None:
        self._app = app
        self._traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._traces.request(scope) as span:
            await self._app(scope, receive, send)
            exchange = scope["exchange"]
            span.update_name(f"{exchange.method} {exchange.route}".strip())
            span.set_attributes(
                {
                    "http.request.method": exchange.method,
                    "http.route": exchange.route,
                    "http.response.status_code": exchange.status,
                    "tenant": exchange.tenant,
                    "request.id": exchange.request_id,
                }
            )
