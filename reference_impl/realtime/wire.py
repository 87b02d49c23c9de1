"""uvicorn's WebSocket protocol with our refusals: a handshake that is none gets the envelope, a shutdown is 1001."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any

import uuid_utils
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.http11 import Response
from websockets.server import ServerProtocol

from reference_impl.edge.answers import encode
from reference_impl.edge.exchange import Exchange
from reference_impl.edge.outer import dress
from reference_impl.edge.request_log import log
from reference_impl.errors import ApiError, Code
from reference_impl.realtime.talk import SHUTDOWN

_CODES: dict[int, Code] = {
    HTTPStatus.METHOD_NOT_ALLOWED: "METHOD_NOT_ALLOWED",
    HTTPStatus.UPGRADE_REQUIRED: "UPGRADE_REQUIRED",
    HTTPStatus.INTERNAL_SERVER_ERROR: "INTERNAL_ERROR",
}


class Handshake(ServerProtocol):
    """Refuses in the envelope."""

    def reject(self, status: Any, text: str) -> Response:
        """Return the response that refuses a handshake; the library's own words say what is wrong with it."""
        code = _CODES.get(int(status), "VALIDATION_ERROR")
        says = "The server failed; the request id finds it in the log." if code == "INTERNAL_ERROR" else text.strip()
        error = ApiError(code, says)
        exchange = Exchange(
            request_id=str(uuid_utils.uuid7()),
            method="GET",
            headers={},
            peer="",
            secure=False,
            started_s=time.perf_counter(),
            status=error.status,
        )
        body = encode(error.envelope(exchange.request_id))
        headers = Headers([(name.decode(), value.decode()) for name, value in dress(exchange)])
        headers["Content-Type"] = "application/json"
        headers["Content-Length"] = str(len(body))
        headers["Connection"] = "close"
        log(exchange)
        return Response(error.status, HTTPStatus(error.status).phrase, headers, body)


class SocketProtocol(WebSocketsSansIOProtocol):
    """One connection."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # No extensions: a compressed message could be small on the wire and large in memory.
        self.conn = Handshake(extensions=[], max_size=self.config.ws_max_size, logger=self.logger)

    def shutdown(self) -> None:
        """Say that the server goes away, where the application has not said so yet."""
        if self.handshake_complete and not self.close_sent and not self.transport.is_closing():
            self.stop_keepalive()
            self.close_sent = True
            self.queue.put_nowait({"type": "websocket.disconnect", "code": SHUTDOWN[0]})
            self.conn.send_close(*SHUTDOWN)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()
            return
        super().shutdown()

    async def run_asgi(self) -> None:
        """Run the application; what a client that takes nothing was sent is thrown away in the end."""
        await super().run_asgi()
        if not self.writable.is_set():
            self.transport.abort()
