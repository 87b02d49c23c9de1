"""An HTTP/1.1 client that says when the last byte left and when the last came, and can release many requests at once.

A general client hides both: it serialises as it sends, so twenty requests started together are spread over tens of
milliseconds. Here every byte but the last of each request is on its connection before the first is released
(last-byte synchronisation). Redirects are not followed and nothing is retried but a kept connection that the
server had closed before the request began. Of a `text/event-stream` the beginning is the answer: its end may not come.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

import h11

from harness.exchange import ENDLESS, Request, Response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.clock import Clock

CONNECT_TIMEOUT_S = 5.0
IDLE_LIMIT_S = 2.0
MOST_IDLE = 16
MAX_BODY_BYTES = 16 * 1024 * 1024
CODINGS = ("gzip", "deflate")
"""The content codings that are read."""
READ_BYTES = 64 * 1024
EVENT_STREAM = b"text/event-stream"
BEGINNING_S = 0.25
PATH_SAFE = "/!$&'()*+,;=:@-._~%"
REPLAYABLE = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of one request: a response or the error that stood in its way, and the two instants in ns."""

    response: Response | None
    sent_ns: int
    done_ns: int
    error: str = ""


class _Connection:
    """One kept connection: its streams and the parser of what comes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=READ_BYTES)
        self.idle_since_ns = 0
        self.used = False

    def close(self) -> None:
        self.writer.close()


class Wire:
    """Sends to one origin, from one event loop. `url` is http or https; its path, if any, is the caller's concern."""

    def __init__(self, url: str, clock: Clock) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or "127.0.0.1"
        self.tls = ssl.create_default_context() if parts.scheme == "https" else None
        self.port = parts.port or (443 if self.tls else 80)
        default = self.port == (443 if self.tls else 80)
        name = f"[{self.host}]" if ":" in self.host else self.host
        self.authority = name if default else f"{name}:{self.port}"
        self.clock = clock
        self._idle: dict[str, list[_Connection]] = defaultdict(list)

    async def send(self, request: Request) -> Sent:
        """One request, and its answer or the reason why there is none; never raises for what the network does."""
        return (await self.release((request,)))[0]

    async def release(self, requests: Sequence[Request]) -> list[Sent]:
        """All requests at one instant; the answers stand in the requests' order.

        The instant of each is read before its last byte is written, so that nothing it causes can seem to come earlier.
        """
        self._forget_idle()
        ready = await asyncio.gather(*(self._prepare(request) for request in requests))
        instants: list[int] = []
        for item in ready:
            instants.append(self.clock.now_ns())
            if isinstance(item, _Ready):
                item.connection.writer.write(item.last)
        return await asyncio.gather(
            *(self._finish(request, item, at) for request, item, at in zip(requests, ready, instants, strict=True))
        )

    async def close(self) -> None:
        """Closes the connections that were kept."""
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()

    async def _prepare(self, request: Request) -> _Ready | str:
        """A connection that has taken all but the request's last byte, or the error."""
        try:
            connection = await asyncio.wait_for(self._connection(request.source), CONNECT_TIMEOUT_S)
        except (OSError, UnicodeError) as error:
            return f"no connection: {_reason(error)}"
        try:
            data = _serialised(connection.parser, request, self.authority)
        except (h11.LocalProtocolError, UnicodeEncodeError) as error:
            connection.close()
            return f"cannot be sent: {error}"
        connection.writer.write(data[:-1])
        try:
            await asyncio.wait_for(connection.writer.drain(), request.timeout_s)
        except (OSError, TimeoutError) as error:
            connection.close()
            return f"not sent whole: {_reason(error)}"
        return _Ready(connection, data[-1:])

    async def _connection(self, source: str) -> _Connection:
        kept = self._idle[source]
        while kept:
            connection = kept.pop()
            fresh = self.clock.now_ns() - connection.idle_since_ns < IDLE_LIMIT_S * 1e9
            if fresh and not connection.reader.at_eof() and not connection.writer.is_closing():
                connection.used = True
                return connection
            connection.close()
        local = (source, 0) if source else None
        return _Connection(*await asyncio.open_connection(self.host, self.port, ssl=self.tls, local_addr=local))

    async def _finish(self, request: Request, item: _Ready | str, sent_ns: int) -> Sent:
        if isinstance(item, str):
            return Sent(None, sent_ns, self.clock.now_ns(), item)
        connection = item.connection
        try:
            response = await asyncio.wait_for(_answer(connection), request.timeout_s)
        except (OSError, TimeoutError, h11.RemoteProtocolError, _Unreadable) as error:
            done_ns = self.clock.now_ns()
            connection.close()
            untouched = isinstance(error, ConnectionError | _Closed) and connection.used
            if untouched and request.method in REPLAYABLE and not connection.parser.trailing_data[0]:
                return await self.send(request)
            begun = isinstance(error, TimeoutError) and connection.parser.their_state is h11.SEND_BODY
            reason = f"{ENDLESS} in {request.timeout_s:g} s" if begun else _reason(error)
            return Sent(None, sent_ns, done_ns, reason)
        except asyncio.CancelledError:
            connection.close()
            raise
        done_ns = self.clock.now_ns()
        self._keep(connection, request.source)
        return Sent(response, sent_ns, done_ns)

    def _forget_idle(self) -> None:
        """Closes what was idle too long, of every source, and the longest idle of too many.

        Many sources would else add up to many open files here, and there to all connections that a server takes.
        """
        oldest_ns = self.clock.now_ns() - IDLE_LIMIT_S * 1e9
        for source, kept in list(self._idle.items()):
            while kept and kept[0].idle_since_ns < oldest_ns:
                kept.pop(0).close()
            if not kept:
                del self._idle[source]
        every = sorted((item.idle_since_ns, source) for source, kept in self._idle.items() for item in kept)
        for _, source in every[: max(len(every) - MOST_IDLE, 0)]:
            self._idle[source].pop(0).close()

    def _keep(self, connection: _Connection, source: str) -> None:
        parser = connection.parser
        if parser.our_state is h11.DONE and parser.their_state is h11.DONE:
            parser.start_next_cycle()
            connection.idle_since_ns = self.clock.now_ns()
            self._idle[source].append(connection)
            self._forget_idle()
        else:
            connection.close()


@dataclass(frozen=True, slots=True)
class _Ready:
    connection: _Connection
    last: bytes


class _Unreadable(Exception):
    """An answer that is no HTTP/1.1 response, or too large to keep."""


class _Closed(_Unreadable):
    """The connection ended before the first byte of an answer."""


def target(request: Request) -> str:
    """The request target: the path with what may not stand in it percent-encoded, and the query."""
    query = urlencode(request.query) if request.query else ""
    return quote(request.path, safe=PATH_SAFE) + (f"?{query}" if query else "")


def _serialised(parser: h11.Connection, request: Request, authority: str) -> bytes:
    own = {name.lower() for name, _ in request.headers}
    headers = [] if "host" in own else [("Host", authority)]
    headers += [*request.identity.headers, *request.headers] if "authorization" not in own else list(request.headers)
    if request.body is not None and not own & {"content-length", "transfer-encoding"}:
        headers.append(("Content-Length", str(len(request.body))))
    encoded = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers]
    event = h11.Request(method=request.method, target=target(request), headers=encoded)
    parts = [parser.send(event)]
    if request.body:
        parts.append(parser.send(h11.Data(data=request.body)))
    parts.append(parser.send(h11.EndOfMessage()))
    return b"".join(part for part in parts if part)


async def _answer(connection: _Connection) -> Response:
    """Reads to the end of one response; informational responses are passed over, of a stream its beginning is read."""
    head: h11.Response | None = None
    body = bytearray()
    received = False
    while True:
        event = connection.parser.next_event()
        if event is h11.NEED_DATA:
            data = await _more(connection, head, body)
            if data is None:
                break
            if not data and not received:
                raise _Closed("connection closed without an answer")
            received = True
            connection.parser.receive_data(data)
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            _add(body, event.data)
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            break
        elif event is h11.PAUSED:
            raise _Unreadable("the server switched protocols")
    if head is None:
        raise _Unreadable("connection closed without an answer")
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers.raw_items())
    return Response(head.status_code, headers, _decoded(bytes(body), Response(0, headers)))


def _add(body: bytearray, data: bytes) -> None:
    body += data
    if len(body) > MAX_BODY_BYTES:
        raise _Unreadable(f"body larger than {MAX_BODY_BYTES} bytes")


async def _more(connection: _Connection, head: h11.Response | None, body: bytearray) -> bytes | None:
    """The next bytes; None once the beginning of an event stream is there, whose end would not come."""
    if head is None or not _streams(head):
        return await connection.reader.read(READ_BYTES)
    if body:
        return None
    try:
        return await asyncio.wait_for(connection.reader.read(READ_BYTES), BEGINNING_S)
    except TimeoutError:
        return None


def _streams(head: h11.Response) -> bool:
    return any(name == b"content-type" and value.lower().startswith(EVENT_STREAM) for name, value in head.headers)


def _decoded(body: bytes, response: Response) -> bytes:
    encoding = (response.header("Content-Encoding") or "").strip().lower()
    if encoding not in CODINGS or not body:
        return body
    try:
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
        unpacked = inflater.decompress(body, MAX_BODY_BYTES)
    except zlib.error as error:
        raise _Unreadable(f"body is not valid {encoding}") from error
    if inflater.unconsumed_tail:
        raise _Unreadable(f"body larger than {MAX_BODY_BYTES} bytes")
    if not inflater.eof:
        raise _Unreadable(f"body is not valid {encoding}")
    return unpacked


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    return str(error) or type(error).__name__
