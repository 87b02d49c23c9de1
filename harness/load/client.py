"""A lean HTTP/1.1 client for load: a gevent socket, httptools, kept connections, and nothing else that costs.

A general client costs some hundred microseconds a request, which the server under load then lacks. This one costs about
twenty. It follows no redirect, keeps no cookie, decodes no content coding, and never raises for what the network does.
"""

from __future__ import annotations

import socket as blocking
import ssl as blocking_ssl
from time import monotonic_ns
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import gevent  # type: ignore[import-untyped] # gevent ships no types
import gevent.socket  # type: ignore[import-untyped] # gevent ships no types
import gevent.ssl  # type: ignore[import-untyped] # gevent ships no types

from harness.load.reply import Reply
from harness.load.response_parser import ResponseError, ResponseParser
from harness.load.sample import TIMED_OUT

if TYPE_CHECKING:
    from collections.abc import Mapping

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})  # RFC 9110, 9.2.2
MAX_BODY_BYTES = 16 * 1024 * 1024
READ_BYTES = 64 * 1024
IDLE_CHECK_NS = 1_000_000_000
NO_HEADERS: Mapping[str, str] = {}


class _Dropped(Exception):
    """A kept connection was closed by the server before any byte of an answer; `sent` says whether a byte had left."""

    def __init__(self, *, sent: bool, reason: str) -> None:
        self.sent, self.reason = sent, reason
        super().__init__(reason)


class _Late(BaseException):
    """The request's time is over; no Exception, so that nothing on the way takes it for its own."""


class _Connection:
    """One connection; a plain one waits on a kept watcher, then reads the raw socket: that saves a failing call."""

    __slots__ = ("_hub", "_plain", "_raw", "_socket", "_watcher", "idle_since_ns", "parser", "used")

    def __init__(self, sock: gevent.socket.socket, max_body_bytes: int) -> None:
        self._socket = sock
        self._plain = not isinstance(sock, gevent.ssl.SSLSocket)
        self._raw = sock._sock  # noqa: SLF001 - the non-blocking socket below gevent's
        self._hub = gevent.get_hub()
        self._watcher = self._hub.loop.io(sock.fileno(), 1)
        self.parser = ResponseParser(max_body_bytes)
        self.idle_since_ns = 0
        self.used = False

    def send(self, data: bytes) -> None:
        """Sends all; _Dropped where the server had closed a kept connection."""
        sent = 0
        try:
            if self._plain:
                sent = self._raw.send(data)
            if sent < len(data):
                self._socket.sendall(data[sent:])
        except BlockingIOError:
            self._socket.sendall(data)
        except OSError as error:
            if not self.used:
                raise
            raise _Dropped(sent=sent > 0 or not self._plain, reason=reason_of(error)) from error

    def receive(self) -> bytes:
        """The next bytes; none where the server closed."""
        if not self._plain:
            return bytes(self._socket.recv(READ_BYTES))
        while True:
            self._hub.wait(self._watcher)
            try:
                return self._raw.recv(READ_BYTES)  # type: ignore[no-any-return] # bytes, of the socket below gevent's
            except BlockingIOError:
                continue

    def is_dead(self) -> bool:
        """Whether the server has closed the idle connection, or has sent what nobody asked for (but TLS tickets)."""
        try:
            unread = self._raw.recv(1, blocking.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return self._plain or not unread

    def close(self) -> None:
        self._watcher.stop()
        self._watcher.close()
        self._socket.close()


class Client:
    """Sends to one origin from any number of greenlets. `url` may carry a path, which stands before every request's.

    One `timeout_s` bounds a request whole: connecting, sending and the last byte of the answer.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = 10.0,
        max_body_bytes: int = MAX_BODY_BYTES,
        tls: gevent.ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"url is {url!r}: it must be http://host[:port] or https://host[:port]; correct it")
        secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port or (443 if secure else 80)
        self._tls = (tls or tls_context()) if secure else None
        self._timeout_s = timeout_s
        self._max_body_bytes = max_body_bytes
        self._prefix = parts.path.rstrip("/")
        self._line = f" HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\n"
        self._idle: list[_Connection] = []
        self._addresses: list[tuple[Any, ...]] = []

    def request(
        self, method: str, path: str, headers: Mapping[str, str] = NO_HEADERS, body: bytes | None = None
    ) -> Reply:
        """Sends one request; `path` is the target as it stands on the wire, encoded and with its query.

        A server that closed a kept connection before it answered gets the request once more on a new one, where the
        method is idempotent or no byte had left (RFC 9112, 9.3.1).
        """
        data = self._serialised(method, path, headers, body)
        sent_ns = monotonic_ns()
        timer = gevent.get_hub().loop.timer(self._timeout_s)
        timer.start(gevent.getcurrent().throw, _Late, update=True)
        retried = False
        try:
            try:
                return self._exchange(self._connection(method), data, method, sent_ns)
            except _Dropped as dropped:
                if dropped.sent and method not in IDEMPOTENT:
                    return _failure(sent_ns, dropped.reason)
                retried = True
                return self._exchange(self._connect(), data, method, sent_ns)._replace(retried=True)
        except _Late:
            return _failure(sent_ns, f"{TIMED_OUT} after {self._timeout_s:g} s", retried=retried)
        except (OSError, ResponseError, _Dropped) as error:
            return _failure(sent_ns, reason_of(error), retried=retried)
        finally:
            timer.stop()
            timer.close()

    def close(self) -> None:
        """Closes the connections that were kept."""
        while self._idle:
            self._idle.pop().close()

    def _serialised(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
        lines = [f"{method} {self._prefix}{path}{self._line}"]
        lines += [f"{name}: {value}\r\n" for name, value in headers.items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}\r\n")
        head = "".join(lines)
        if " " in path or "\n" in path or head.count("\n") != len(lines) + 1:
            raise ValueError(f"{method} {path!r}: a path has no space and no part a line break; encode them")
        data = head.encode("latin-1") + b"\r\n"
        return data + body if body else data

    def _connection(self, method: str) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            doubtful = method not in IDEMPOTENT or monotonic_ns() - connection.idle_since_ns > IDLE_CHECK_NS
            if doubtful and connection.is_dead():
                connection.close()
                continue
            return connection
        return self._connect()

    def _connect(self) -> _Connection:
        """A new connection to the first address that takes one; names are resolved once, in a thread."""
        if not self._addresses:
            self._addresses = gevent.socket.getaddrinfo(self._host, self._port, 0, blocking.SOCK_STREAM)
        for number, (family, kind, protocol, _, address) in enumerate(self._addresses, 1):
            sock = gevent.socket.socket(family, kind, protocol)
            try:
                sock.connect(address)
                sock.setsockopt(blocking.IPPROTO_TCP, blocking.TCP_NODELAY, 1)
                if self._tls is not None:
                    sock = self._tls.wrap_socket(sock, server_hostname=self._host)
                return _Connection(sock, self._max_body_bytes)
            except BaseException as error:
                sock.close()
                if not isinstance(error, OSError) or number == len(self._addresses):
                    raise
        raise OSError(f"{self._host} has no address")

    def _exchange(self, connection: _Connection, data: bytes, method: str, sent_ns: int) -> Reply:
        parser, heard = connection.parser, False
        keep = False
        try:
            parser.begin(head_only=method == "HEAD")
            connection.send(data)
            while not parser.complete:
                try:
                    received = connection.receive()
                except OSError as error:
                    if connection.used and not heard:
                        raise _Dropped(sent=True, reason=reason_of(error)) from error
                    raise
                if received:
                    heard = True
                    parser.feed(received)
                elif heard:
                    parser.end()
                elif connection.used:
                    raise _Dropped(sent=True, reason="the kept connection was closed without an answer")
                else:
                    raise ResponseError("the connection was closed without an answer")
            done_ns = monotonic_ns()
            keep = parser.keep
            return Reply(parser.status, parser.headers, parser.body, sent_ns, done_ns)
        finally:
            if keep:
                connection.used = True
                connection.idle_since_ns = done_ns
                self._idle.append(connection)
            else:
                connection.close()


def tls_context(authorities: str | None = None) -> gevent.ssl.SSLContext:
    """Verifies certificates by the system's authorities and a PEM file's; of gevent's kind in any process."""
    context = gevent.ssl.SSLContext(blocking_ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    if authorities:
        context.load_verify_locations(authorities)
    return context


def reason_of(error: BaseException) -> str:
    """An error in a few words, without the number that differs from system to system."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


def _failure(sent_ns: int, reason: str, *, retried: bool = False) -> Reply:
    return Reply(0, (), b"", sent_ns, monotonic_ns(), reason, retried)
