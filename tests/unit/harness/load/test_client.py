"""The client against real servers: well-behaved, slow, broken, and gone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import gevent
import pytest

from harness.load.client import Client, tls_context

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]
    Serve = Callable[..., "Server"]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """An asyncio server in a thread; `heads` are the requests that came, a connection's number before each."""

    def __init__(self, handler: Handler, context: ssl.SSLContext | None = None) -> None:
        self._handler, self._context = handler, context
        self.connections = 0
        self.loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.port = 0
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        assert self._ready.wait(5)

    def _run(self) -> None:
        server = self.loop.run_until_complete(asyncio.start_server(self._handle, "127.0.0.1", 0, ssl=self._context))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self.loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0.01))
        self.loop.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def stop(self) -> None:
        """Ends the loop and its thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that end with the test."""
    started: list[Server] = []

    def start(handler: Handler, context: ssl.SSLContext | None = None) -> Server:
        started.append(Server(handler, context))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def answering(*answers: bytes, then_close: bool = False) -> Handler:
    """Answers each request of a connection with the next of the answers, the last over and over."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting = list(answers)
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    await reader.readexactly(int(line.split(b":")[1]))
            writer.write(waiting.pop(0) if len(waiting) > 1 else waiting[0])
            await writer.drain()
            if then_close:
                return

    return handle


@contextlib.contextmanager
def client_of(server: Server, **options: float) -> Iterator[Client]:
    """A client that is closed at the end."""
    client = Client(f"http://127.0.0.1:{server.port}", **options)  # type: ignore[arg-type] # numbers, each its own
    try:
        yield client
    finally:
        client.close()


def test_requests_share_a_kept_connection(serve: Serve) -> None:
    """One connection serves one request after another, chunked or not."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    server = serve(answering(OK, chunked, OK))
    with client_of(server) as client:
        for _ in range(3):
            reply = client.request("GET", "/a?b=c", {"Accept": "text/plain"})
            assert (reply.status, reply.body, reply.error) == (200, b"ok", "")
            assert reply.sent_ns < reply.done_ns
    assert server.connections == 1


def test_what_is_sent_is_one_well_formed_request(serve: Serve) -> None:
    """The base path, host, headers and body stand on the wire as they were given."""
    heard: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(2))
        writer.write(OK)

    server = serve(handle)
    client = Client(f"http://127.0.0.1:{server.port}/base/")
    client.request("POST", "/a", {"X-A": "b"}, b"{}")
    client.close()
    lines = f"POST /base/a HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nX-A: b\r\nContent-Length: 2\r\n\r\n{{}}"
    assert heard == [lines.encode()]


def test_a_close_after_each_answer_costs_a_connection_each(serve: Serve) -> None:
    """Connection: close is honoured, and nothing is retried."""
    server = serve(answering(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), then_close=True))
    with client_of(server) as client:
        replies = [client.request("GET", "/") for _ in range(3)]
    assert [(reply.status, reply.retried) for reply in replies] == [(200, False)] * 3
    assert server.connections == 3


def test_a_body_that_only_the_close_ends_is_whole(serve: Serve) -> None:
    """An answer without a length is read to the end of the connection."""
    server = serve(answering(b"HTTP/1.1 200 OK\r\n\r\nok", then_close=True))
    with client_of(server) as client:
        assert client.request("GET", "/").body == b"ok"


def hanging_up() -> Handler:
    """Answers a connection's first request and hangs up, without a word, on its second."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")

    return handle


def test_a_dropped_idle_connection_is_retried_once_where_that_is_safe(serve: Serve) -> None:
    """An idempotent request is sent again and says so; a POST that may have arrived is not."""
    server = serve(hanging_up())
    with client_of(server) as client:
        assert client.request("GET", "/").status == 200
        again = client.request("GET", "/")
        assert (again.status, again.retried) == (200, True)
        post = client.request("POST", "/", body=b"")
        assert (post.status, post.retried) == (0, False)
        assert "closed without an answer" in post.error
    assert server.connections == 2


def test_a_connection_that_the_server_closed_while_idle_is_not_used_for_a_post(serve: Serve) -> None:
    """What is seen to be closed before a byte is sent costs no retry and no error."""
    server = serve(answering(OK, then_close=True))
    with client_of(server) as client:
        assert client.request("POST", "/", body=b"").status == 200
        gevent.sleep(0.05)
        reply = client.request("POST", "/", body=b"")
    assert (reply.status, reply.retried) == (200, False)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9\r\n", "not an HTTP/1.1 response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "closed after 2 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-", "closed within the headers"),
        (b"", "closed without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000, "body larger than 1000"),
    ],
)
def test_a_broken_answer_is_a_reply_with_its_reason(serve: Serve, answer: bytes, reason: str) -> None:
    """Garbage, a cut, silence and too much are values, not exceptions."""
    server = serve(answering(answer, then_close=True))
    with client_of(server, max_body_bytes=1000) as client:
        reply = client.request("GET", "/")
    assert reply.status == 0
    assert reason in reply.error


def test_a_reset_is_a_reply_with_its_reason(serve: Serve) -> None:
    """A connection that is reset in the middle says so."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        plain: socket.socket = writer.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    with client_of(serve(handle)) as client:
        assert "reset" in client.request("GET", "/").error


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"])
def test_a_stall_times_out_whole(serve: Serve, first: bytes) -> None:
    """A server that never answers, or never ends its answer, costs the time-out and no more."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(first)
        await asyncio.sleep(5)

    with client_of(serve(handle), timeout_s=0.2) as client:
        reply = client.request("GET", "/")
    assert reply.error == "timed out after 0.2 s"
    assert 0.15e9 < reply.done_ns - reply.sent_ns < 1.5e9


def test_a_refused_connection_is_a_reply_with_its_reason() -> None:
    """Nobody listening is a value too."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    reply = Client(f"http://127.0.0.1:{port}").request("GET", "/")
    assert (reply.status, reply.error) == (0, "connection refused")


def test_greenlets_do_not_wait_for_each_other(serve: Serve) -> None:
    """Fifty slow answers take as long as one."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.2)
        writer.write(OK)

    with client_of(serve(handle)) as client:
        start_s = time.monotonic()
        jobs = [gevent.spawn(client.request, "GET", "/") for _ in range(50)]
        gevent.joinall(jobs)
    assert [job.value.status for job in jobs] == [200] * 50
    assert time.monotonic() - start_s < 2


def test_tls_is_verified_and_spoken(serve: Serve, tmp_path: Path) -> None:
    """A certificate that is trusted serves; one that is not is a reply with its reason."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run([*made, *names, "-out", certificate, "-keyout", key], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = serve(answering(OK), context)
    url = f"https://127.0.0.1:{server.port}"
    trusting = Client(url, tls=tls_context(str(certificate)))
    assert [trusting.request(method, "/").status for method in ("GET", "POST")] == [200, 200]
    trusting.close()
    assert "certificate" in Client(url).request("GET", "/").error.lower()


@pytest.mark.parametrize(
    ("path", "headers"), [("/a b", {}), ("/a\r\nX: y", {}), ("/", {"X": "a\r\nY: b"}), ("/", {"X\n": "a"})]
)
def test_a_request_that_would_break_the_wire_is_refused(path: str, headers: dict[str, str]) -> None:
    """Spaces and line breaks never reach the server."""
    with pytest.raises(ValueError, match="encode them"):
        Client("http://127.0.0.1:9").request("GET", path, headers)


@pytest.mark.parametrize("url", ["ftp://host", "host:80", "http://"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    """The message shows what a URL must be."""
    with pytest.raises(ValueError, match="must be http"):
        Client(url)
