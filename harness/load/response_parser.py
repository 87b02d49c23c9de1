"""Bytes in, one HTTP/1.1 response out: httptools (llhttp) with bounds, and the ends of a body that it leaves to us."""

from __future__ import annotations

import httptools

MAX_HEAD_BYTES = 64 * 1024
INFORMATIONAL = range(100, 200)
SWITCHING = 101


class ResponseError(Exception):
    """What came is no HTTP/1.1 response, ends too early, or is too large to keep."""


class ResponseParser:
    """Reads the responses of one connection, one after another; `begin` comes before each.

    httptools calls the methods named `on_…`. After `feed`, `complete` says whether the response is whole.
    """

    def __init__(self, max_body_bytes: int) -> None:
        self._max_body_bytes = max_body_bytes
        self._parser = httptools.HttpResponseParser(self)
        self._head_only = False
        self._framed = False
        self._head_bytes = 0
        self._body_bytes = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        self._head_done = False
        self.status = 0
        self.complete = False
        self.keep = False

    def begin(self, *, head_only: bool) -> None:
        """Makes ready for the next response; that of a HEAD has no body, whatever its headers say."""
        self._head_only = head_only
        self._reset()

    def feed(self, data: bytes) -> None:
        """Takes what came; ResponseError where it cannot be part of the one response that is awaited."""
        if not self._head_done:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as error:
            raise ResponseError("the server switched protocols, which was not asked for") from error
        except (httptools.HttpParserError, httptools.HttpParserCallbackError) as error:
            if isinstance(error.__context__, ResponseError):
                raise error.__context__ from None
            raise ResponseError(f"not an HTTP/1.1 response: {error}") from error
        if not self._head_done and self._head_bytes > MAX_HEAD_BYTES:
            raise ResponseError(f"headers larger than {MAX_HEAD_BYTES} bytes")

    def end(self) -> None:
        """The server closed: a body that only this ends is whole, anything else is cut."""
        if not self._head_done:
            raise ResponseError("the connection was closed within the headers")
        if self._framed:
            raise ResponseError(f"the connection was closed after {self._body_bytes} bytes of the body")
        self.complete = True
        self.keep = False

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The headers in their order."""
        return tuple(self._headers)

    @property
    def body(self) -> bytes:
        """The body as it was sent, content coding and all."""
        parts = self._parts
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of the head, or of a trailer, which is left out."""
        if self._head_done:
            return
        self._headers.append((name, value))
        if not self._framed and name.lower() in {b"content-length", b"transfer-encoding"}:
            self._framed = True

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self.complete:
            raise ResponseError("more than one response came for one request")
        self.status = self._parser.get_status_code()
        self._head_done = True
        if self._head_only and self.status not in INFORMATIONAL:
            self.complete = True  # llhttp waits for a body: the connection is not kept

    def on_body(self, part: bytes) -> None:
        """A part of the body, chunk framing removed."""
        if self.complete:
            raise ResponseError("a body came where there can be none")
        self._body_bytes += len(part)
        if self._body_bytes > self._max_body_bytes:
            raise ResponseError(f"body larger than {self._max_body_bytes} bytes")
        self._parts.append(part)

    def on_message_complete(self) -> None:
        """The response is whole, or it was an informational one before the one that is awaited."""
        if self.status in INFORMATIONAL and self.status != SWITCHING:
            self._reset()
            return
        if not self.complete:
            self.complete = True
            self.keep = self._parser.should_keep_alive()

    def _reset(self) -> None:
        self._framed = self._head_done = self.complete = self.keep = False
        self._head_bytes = self._body_bytes = self.status = 0
        self._headers = []
        self._parts = []
