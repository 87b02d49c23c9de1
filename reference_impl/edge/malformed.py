"""Answers bytes that are no HTTP request in the envelope, and bounds what a connection may send and how long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import uuid_utils
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from reference_impl.edge.answers import encode
from reference_impl.edge.exchange import Exchange
from reference_impl.edge.outer import dress
from reference_impl.edge.request_log import log
from reference_impl.errors import ApiError

if TYPE_CHECKING:
    import asyncio

MOST_HEADERS = 100
HEAD_BYTES = 65_536
# The layer of time-outs answers first; the connection ends only where nobody can be answered.
_SLACK_S = 2.0
_USUAL_S = 30.0


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol with our 400, bounded heads, and an end to connections that never finish a request."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        settings = getattr(self.app, "settings", None)
        self._patience_s = (settings.edge.timeout_s if settings else _USUAL_S) + _SLACK_S
        self._in_head = False
        self._receiving = False
        self._head_bytes = 0
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin; who connects and says nothing is not waited for either."""
        super().connection_made(transport)
        self._late = self.loop.call_later(self._patience_s, self._close)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; ordinary requests come whole, so that no timer is made for them."""
        self._head_bytes += len(data)
        if self._in_head and self._head_bytes > HEAD_BYTES:
            self.send_400_response(f"A request's head may have {HEAD_BYTES} bytes.")
            return
        super().data_received(data)
        if not self._in_head:
            self._head_bytes = 0
        if not self._receiving:
            self._in_time()
        elif self._late is None:
            self._late = self.loop.call_later(self._patience_s, self._close)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection to the WebSocket's protocol, which has its own bounds."""
        self._in_time()
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._in_head = self._receiving = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin to serve; what is raised here becomes the 400."""
        self._in_head = False
        if len(self.headers) > MOST_HEADERS:
            raise ValueError("too many headers")
        if self._head_bytes > HEAD_BYTES and sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            raise ValueError("too long a head")
        hosts = sum(name == b"host" for name, _ in self.headers)
        # RFC 9112, 3.2: whose host it is must not be in doubt, as it may tell the tenant.
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            raise ValueError("not one Host")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that a request is whole."""
        self._receiving = False
        super().on_message_complete()

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close(self) -> None:
        self._late = None
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Write a whole response and close: the request never became one."""
        exchange = Exchange(
            request_id=str(uuid_utils.uuid7()),
            method="",
            headers={},
            peer=self.client[0] if self.client else "",
            secure=self.scheme == "https",
            started_s=time.perf_counter(),
            status=400,
        )
        body = encode(ApiError("VALIDATION_ERROR", msg).envelope(exchange.request_id))
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            *dress(exchange),
        ]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + lines + b"\r\n" + body)
        self.transport.close()
        log(exchange)
