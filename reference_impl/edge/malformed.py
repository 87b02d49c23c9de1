"""Answers bytes that are no HTTP request in the envelope, like everything else."""

from __future__ import annotations

import time

import uuid_utils
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from reference_impl.edge.answers import encode
from reference_impl.edge.exchange import Exchange
from reference_impl.edge.outer import dress
from reference_impl.edge.request_log import log
from reference_impl.errors import ApiError


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol with our 400."""

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
