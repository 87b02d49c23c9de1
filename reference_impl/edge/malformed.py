"""Answers bytes that are no HTTP request in the envelope, and bounds what a connection may send and how long."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import uuid_utils
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from reference_impl.edge.answering import Answering
from reference_impl.edge.answers import encode
from reference_impl.edge.exchange import Exchange
from reference_impl.edge.outer import dress
from reference_impl.edge.request_log import log
from reference_impl.edge.stall import Stall
from reference_impl.errors import ApiError, late

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

MOST_HEADERS = 100
HEAD_BYTES = 65_536
URL_BYTES = 16_384
# The layer of time-outs answers first; the connection ends only where nobody can be answered.
_SLACK_S = 2.0
_USUAL_S = 30.0
_LINGER_S = 2.0


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol with our refusals, bounded heads, and an end to connections that never finish a request."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        settings = getattr(self.app, "settings", None)
        self._timeout_s = settings.edge.timeout_s if settings else _USUAL_S
        self._in_head = False
        self._receiving = False
        self._barren_bytes = 0  # since the head began or a byte of the body came
        self._late: asyncio.TimerHandle | None = None
        self._refusal: ApiError | None = None
        self._turn: RequestResponseCycle | None = None  # the one that is being answered
        self._over = False  # nothing more is read here
        self._answered = False  # the last answer is written, and more of its request may come

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin; who connects and says nothing is not waited for either."""
        super().connection_made(transport)
        self._stall = Stall(self.loop, transport, self._timeout_s, self._abort)
        self._late = self.loop.call_later(self._timeout_s + _SLACK_S, self._close)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._in_time()
        self._stall.end()
        self._tell_gone()  # uvicorn tells the newest only
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Hold answers back until the client has taken some of what is written, for which it has its time."""
        super().pause_writing()
        self._stall.begin()

    def resume_writing(self) -> None:
        """Go on with answers; what is left at the end of a connection is to be taken all the same."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._stall.end()

    def shutdown(self) -> None:
        """End with the answer that is being given, or at once."""
        super().shutdown()
        if self.transport.is_closing():
            self._stall.begin()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection on which nothing is asked any more."""
        if not self.transport.is_closing():
            self._shut()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; ordinary requests come whole, so that no timer is made for them."""
        if not self._over:
            self._barren_bytes += len(data)
            super().data_received(data)
            self._bound()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection to the WebSocket's protocol, which has its own bounds; not while an answer is to come."""
        if not self._idle():
            self._refuse(
                ApiError("VALIDATION_ERROR", "Ask for a WebSocket when all that was asked before is answered.")
            )
            return
        self._over = True
        self._in_time()
        self._stall.end()
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._in_head = self._receiving = True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        super().on_url(url)
        if len(self.url) > URL_BYTES:
            self._raise(ApiError("URI_TOO_LONG", f"A request's target may have {URL_BYTES} bytes."))

    def on_headers_complete(self) -> None:
        """Begin to serve; what is raised here becomes the refusal."""
        if len(self.headers) > MOST_HEADERS:
            self._raise(ApiError("HEADERS_TOO_LARGE", f"A request may have {MOST_HEADERS} header lines."))
        if self._barren_bytes > HEAD_BYTES and sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            self._raise(_long_head())
        hosts = sum(name == b"host" for name, _ in self.headers)
        # RFC 9112, 3.2: whose host it is must not be in doubt, as it may tell the tenant.
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            self._raise(ApiError("VALIDATION_ERROR", "A request has one Host."))
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:  # an upgrade has no cycle of its own
            self.cycle.transport = Answering(self.transport, self._leave)
        self._in_head = False
        self._in_time()  # a body has its own
        if not self.parser.should_upgrade():
            self.headers = []  # RFC 9110, 6.5.1: a trailer is no header

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._barren_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that a request is whole."""
        self._receiving = False
        self._barren_bytes = 0
        self._in_time()
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Run the application; where it leaves an answer unfinished that is not taken, the connection ends at once."""

        async def run(*arguments: Any) -> None:
            try:
                await app(*arguments)
            except asyncio.CancelledError:  # the server ends
                if not self.flow.write_paused:
                    raise
            if not (cycle.response_complete or cycle.disconnected) and self.transport.get_write_buffer_size():
                self._abort()

        self._turn = cycle
        super()._start_asgi_task(cycle, run)

    def on_response_complete(self) -> None:
        """Go on with what was asked meanwhile; a refusal is the last, and so is an answer that ends the connection."""
        if self._answered:
            return
        last = not self.pipeline
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if not last:
            self._bound()  # whose turn it is now, its body has its time from now on
        elif self._refusal is not None:
            self._answer()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser refuses."""
        self._refuse(self._refusal or ApiError("VALIDATION_ERROR", msg))

    def _bound(self) -> None:
        """Hold what is still coming to its bytes and its time; blank lines between requests are no request."""
        if self._over:
            return
        if self._receiving and self._barren_bytes > HEAD_BYTES:  # also of trailers, and of extensions of chunks
            self._refuse(_long_head())
        elif self._late is None and (self._idle() or (self._receiving and not self._waiting())):
            self._late = self.loop.call_later(self._timeout_s + _SLACK_S, self._close)

    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # uvicorn's type has no None

    def _waiting(self) -> bool:
        """Whether the body that comes is of a request whose turn is not yet: its client owes nothing so far."""
        return bool(self.pipeline) and not self._in_head

    def _raise(self, error: ApiError) -> None:
        self._refusal = error
        raise error

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close(self) -> None:
        self._late = None
        if self._in_head and not self._over:
            self._refuse(late(self._timeout_s))
        else:
            self._shut()

    def _refuse(self, error: ApiError) -> None:
        """Answer what never became a request, after what is still being answered."""
        self._refusal, self._over = error, True
        self._in_time()  # what is still being answered has its own
        cycle = self.cycle
        if self._in_head or not self._receiving:
            if self._idle():
                self._answer()
        elif self.pipeline:  # its handler waits for its turn, and shall not have it
            self.pipeline.popleft()
        elif cycle.response_started:
            self._shut()
        else:  # its handler waits for the body
            cycle.disconnected = True
            cycle.message_event.set()
            self._answer()

    def _answer(self) -> None:
        """Write a whole response and close, not before the client had the time to read it.

        With bytes unread a close is a reset, and a reset may overtake the answer: so they are read and thrown away.
        """
        assert self._refusal is not None
        exchange = Exchange(
            request_id=str(uuid_utils.uuid7()),
            method="",
            headers={},
            peer=self.client[0] if self.client else "",
            secure=self.scheme == "https",
            started_s=time.perf_counter(),
            status=self._refusal.status,
        )
        body = encode(self._refusal.envelope(exchange.request_id))
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            *dress(exchange),
        ]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        line = f"HTTP/1.1 {exchange.status} {HTTPStatus(exchange.status).phrase}\r\n".encode()
        self.transport.write(line + lines + b"\r\n" + body)
        log(exchange)
        self._linger()

    def _leave(self) -> None:
        """Close after an answer, at once where its request has come whole."""
        if self._receiving and not self.transport.is_closing():
            self._over = self._answered = True
            self._linger()
        else:
            self._shut()

    def _shut(self) -> None:
        """Close once all is taken, for which the client has its time."""
        self.transport.close()
        self._stall.begin()

    def _abort(self) -> None:
        """End at once: a close would wait until all is taken."""
        self._tell_gone()
        self.transport.abort()

    def _tell_gone(self) -> None:
        """Tell the answer that is being given that nobody takes it."""
        if self._turn is not None:
            self._turn.disconnected = True
            self._turn.message_event.set()

    def _linger(self) -> None:
        self._unset_keepalive_if_required()
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.flow.resume_reading()
            self._in_time()
            self._late = self.loop.call_later(_LINGER_S, self._close)
        else:
            self._shut()


def _long_head() -> ApiError:
    return ApiError("HEADERS_TOO_LARGE", f"A request's head may have {HEAD_BYTES} bytes.")
