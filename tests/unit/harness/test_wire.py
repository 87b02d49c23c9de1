"""The wire against a real server on loopback: what comes back, what does not, and when the last byte leaves."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import time
import zlib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import wire
from harness.clock import SystemClock
from harness.exchange import ENDLESS, Request
from harness.identities import Identity
from harness.wire import Sent, Wire, target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    Answer = Callable[["Peer", asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Peer:
    """A server that answers each request by a given coroutine, and says what came and when its last byte did."""

    answer: Answer
    port: int = 0
    connections: int = 0
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    whole_ns: list[int] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reads requests from one connection until it ends, and answers each."""
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = [line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length")]
                body = await reader.readexactly(int(length[0]) if length else 0)
                self.whole_ns.append(time.monotonic_ns())
                self.heads.append(head)
                self.bodies.append(body)
                await self.answer(self, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def raw(*parts: bytes) -> Answer:
    """Answers with bytes as they are."""

    async def answer(_: Peer, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)

    return answer


def closing(*parts: bytes) -> Answer:
    """Answers with bytes and ends the connection."""

    async def answer(peer: Peer, writer: asyncio.StreamWriter) -> None:
        await raw(*parts)(peer, writer)
        writer.close()

    return answer


async def hang(_: Peer, writer: asyncio.StreamWriter) -> None:
    """Never answers, until the other side goes."""
    await writer.wait_closed()


async def reset(_: Peer, writer: asyncio.StreamWriter) -> None:
    """Answers with a TCP reset."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def plain(body: bytes = b"ok", *, status: str = "200 OK", headers: bytes = b"") -> bytes:
    """A whole response with its length."""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status.encode(), len(body), headers, body)


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[tuple[Peer, Wire]]:
    """A peer that listens, and a wire to it."""
    peer = Peer(answer)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    client = Wire(f"http://127.0.0.1:{peer.port}", SystemClock())
    try:
        yield peer, client
    finally:
        await client.close()
        server.close()
        await asyncio.sleep(0.01)


def exchanged(answer: Answer, *requests: Request) -> tuple[Peer, list[Sent]]:
    """Sends requests one after the other."""

    async def run() -> tuple[Peer, list[Sent]]:
        async with served(answer) as (peer, client):
            return peer, [await client.send(request) for request in requests]

    return asyncio.run(run())


def get(timeout_s: float = 2.0) -> Request:
    """A plain request that waits for so long at most."""
    return Request("GET", "/", timeout_s=timeout_s)


def test_a_connection_is_kept_for_the_next_request() -> None:
    """Three requests in a row use one connection."""
    peer, sent = exchanged(raw(plain()), get(), get(), get())
    assert [answer.response.body for answer in sent if answer.response] == [b"ok"] * 3
    assert peer.connections == 1


def test_connection_close_is_heeded() -> None:
    """After `Connection: close` the next request has a connection of its own."""
    peer, sent = exchanged(closing(plain(headers=b"Connection: close\r\n")), get(), get())
    assert [answer.error for answer in sent] == ["", ""]
    assert peer.connections == 2


def test_a_kept_connection_that_the_server_closed_is_replaced() -> None:
    """A server may close a kept connection at any time; a GET is then sent on a new one."""
    peer, sent = exchanged(closing(plain()), get(), get())
    assert [answer.error for answer in sent] == ["", ""]
    assert peer.connections == 2


def test_a_post_is_not_sent_twice() -> None:
    """Where a connection ends without an answer, whether the POST had its effect is unknown."""
    peer, sent = exchanged(closing(), Request("POST", "/", body=b"{}", timeout_s=2))
    assert sent[0].response is None
    assert len(peer.heads) == 1


def test_chunked_bodies_are_joined() -> None:
    """A body in chunks, cut anywhere, comes whole."""
    parts = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", b"c\r\n2\r\nde\r\n", b"0\r\n\r\n")
    _, (sent,) = exchanged(raw(*parts), get())
    assert sent.response is not None
    assert sent.response.body == b"abcde"


@pytest.mark.parametrize(("encoding", "packed"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_bodies_are_unpacked(encoding: str, packed: Callable[[bytes], bytes]) -> None:
    """A body in gzip or deflate is given decoded; the headers stay as they came."""
    body = plain(packed(b'{"a": 1}' * 100), headers=f"Content-Encoding: {encoding}\r\n".encode())
    _, (sent,) = exchanged(raw(body), get())
    assert sent.response is not None
    assert sent.response.body == b'{"a": 1}' * 100
    assert sent.response.header("content-encoding") == encoding


@pytest.mark.parametrize("body", [b"not gzip at all", gzip.compress(b"cut short" * 50)[:-12]], ids=["other", "cut"])
def test_a_broken_compressed_body_is_an_error(body: bytes) -> None:
    """Bytes that are not what Content-Encoding says, or stop in the middle, are no answer."""
    _, (sent,) = exchanged(raw(plain(body, headers=b"Content-Encoding: gzip\r\n")), get())
    assert (sent.response, sent.error) == (None, "body is not valid gzip")


def test_informational_responses_are_passed_over() -> None:
    """100 and 103 come before the answer and are not it."""
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    _, (sent,) = exchanged(raw(b"HTTP/1.1 100 Continue\r\n\r\n" + early + plain()), get())
    assert sent.response is not None
    assert sent.response.status == 200


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "illegal"),
        (raw(b"\x16\x03\x01\x00\xa5\x01\x00" * 9 + b"\r\n\r\n"), ""),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"), "Content-Length"),
        (raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), ""),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"a" * 200_000 + b"\r\n\r\n"), ""),
        (closing(), "connection closed without an answer"),
        (closing(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), "peer"),
        (closing(b"HTTP/1.1 200"), ""),
        (reset, ""),
    ],
    ids=["banner", "tls", "length", "upgrade", "endless-header", "close", "short-body", "short-head", "reset"],
)
def test_what_is_no_answer_is_told_and_not_raised(answer: Answer, told: str) -> None:
    """Garbage, a cut connection and a reset each give an error that says so, and no response."""
    _, (sent,) = exchanged(answer, get())
    assert sent.response is None
    assert told in sent.error
    assert sent.error


def test_a_server_that_switches_protocols_is_no_answer() -> None:
    """Where a request offers an upgrade and the server takes it, the exchange ends, and at once."""
    request = Request("GET", "/", headers=(("Connection", "upgrade"), ("Upgrade", "x")), timeout_s=2)
    switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
    _, (sent,) = exchanged(raw(switch), request)
    assert (sent.response, sent.error) == (None, "the server switched protocols")


def test_a_hang_ends_with_the_requests_time() -> None:
    """A server that never answers costs the request's timeout, not more."""
    began = time.monotonic()
    _, (sent,) = exchanged(hang, get(timeout_s=0.2))
    assert (sent.response, sent.error) == (None, "timed out")
    assert time.monotonic() - began < 1.5
    assert sent.done_ns - sent.sent_ns >= 0.19e9


def test_a_body_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body larger than the limit is refused once the limit is reached."""
    monkeypatch.setattr(wire, "MAX_BODY_BYTES", 1000)
    _, (sent,) = exchanged(raw(plain(b"a" * 5000)), get())
    assert (sent.response, sent.error) == (None, "body larger than 1000 bytes")


def test_a_small_body_that_unpacks_to_a_large_one_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds for what is unpacked too."""
    monkeypatch.setattr(wire, "MAX_BODY_BYTES", 1000)
    _, (sent,) = exchanged(raw(plain(gzip.compress(b"a" * 9000), headers=b"Content-Encoding: gzip\r\n")), get())
    assert (sent.response, sent.error) == (None, "body larger than 1000 bytes")


def test_a_refused_connection_is_told() -> None:
    """Where nothing listens there is no answer, and the reason says that no connection could be had."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = Wire(f"http://127.0.0.1:{unused.getsockname()[1]}", SystemClock())
        sent = asyncio.run(client.send(get()))
    assert sent.response is None
    assert sent.error.startswith("no connection")


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/", headers=(("X-Bad", "a\r\nb: c"),)),
        Request("G T", "/"),
        Request("GET", "/", query=(("q", "\ud800"),)),
        Request("GET", "/\ud800"),
    ],
    ids=["header", "method", "query", "path"],
)
def test_what_http_cannot_carry_is_told_and_not_sent(request_: Request) -> None:
    """A request that is no HTTP is an exchange without an answer; nothing of it reaches the server."""
    peer, (sent,) = exchanged(raw(plain()), request_)
    assert sent.error.startswith("cannot be sent")
    assert peer.heads == []


def test_credentials_and_own_headers_are_sent_once() -> None:
    """An identity's headers go along, unless the request brings an Authorization of its own."""
    who = Identity("a", headers=(("Authorization", "Bearer one"),))
    own = Request("GET", "/", headers=(("Authorization", "Bearer two"),), identity=who)
    peer, _ = exchanged(raw(plain()), Request("GET", "/", identity=who), own)
    sent = [[line for line in head.splitlines() if line.startswith("Authorization")] for head in peer.heads]
    assert sent == [["Authorization: Bearer one"], ["Authorization: Bearer two"]]


@pytest.mark.parametrize("count", [2, 20])
def test_requests_released_together_become_whole_together(count: int) -> None:
    """Before the release no request is whole; then all are, within a moment, though each has a large body."""
    body = b"x" * 100_000
    requests = tuple(Request("POST", f"/{number}", body=body, timeout_s=5) for number in range(count))

    async def run(held_s: float) -> tuple[Peer, Sequence[Sent], int]:
        async with served(raw(plain())) as (peer, client):
            ready = [await client._prepare(request) for request in requests]
            await asyncio.sleep(held_s)
            early = len(peer.heads)
            for item in ready:
                assert not isinstance(item, str)
                item.connection.close()
            return peer, await client.release(requests), early

    peer, sent, early = asyncio.run(run(0.1))
    assert early == 0
    assert [answer.error for answer in sent] == [""] * count
    assert sorted(head.split()[1] for head in peer.heads) == sorted(f"/{number}" for number in range(count))
    assert max(answer.sent_ns for answer in sent) - min(answer.sent_ns for answer in sent) < 100e6
    assert min(peer.whole_ns) >= min(answer.sent_ns for answer in sent)


def test_answers_stand_in_the_order_of_the_requests() -> None:
    """A release gives each request its own answer, whichever came first."""

    async def echo(peer: Peer, writer: asyncio.StreamWriter) -> None:
        path = peer.heads[-1].split()[1]
        await asyncio.sleep(0.02 * (3 - int(path[1:])))
        writer.write(plain(path.encode()))

    async def run() -> list[Sent]:
        async with served(echo) as (_, client):
            return await client.release([Request("GET", f"/{number}") for number in range(3)])

    bodies = [answer.response.body for answer in asyncio.run(run()) if answer.response]
    assert bodies == [b"/0", b"/1", b"/2"]


def test_a_request_leaves_from_its_source() -> None:
    """A source address is the one that the server sees."""
    seen = []

    async def answer(_: Peer, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("peername")[0])
        writer.write(plain())

    exchanged(answer, Request("GET", "/", source="127.0.0.7"))
    assert seen == ["127.0.0.7"]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.tuples(st.text("aé &=+%"), st.text("aé &=+%"))))
@settings(max_examples=200)
def test_a_request_target_is_ascii_without_blanks(path: str, query: list[tuple[str, str]]) -> None:
    """Whatever a path or a query holds, what stands on the request line is printable ASCII without blanks."""
    shown = target(Request("GET", f"/{path}", query=tuple(query)))
    assert shown.isascii()
    assert not any(character.isspace() or not character.isprintable() for character in shown)


def test_an_answer_without_end_is_told_from_a_hang() -> None:
    """A stream that began and goes on when the time is over is named so; what hangs before its head is not."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
    _, (sent,) = exchanged(raw(head), get(timeout_s=0.2))
    assert (sent.response, sent.error) == (None, f"{ENDLESS} in 0.2 s")


@pytest.mark.parametrize(
    ("parts", "body"),
    [
        ((b": hello\n\n", b"data: 1\n\n"), b": hello\n\n"),
        ((), b""),
    ],
    ids=["begun", "silent"],
)
def test_of_an_event_stream_the_beginning_is_the_answer(parts: tuple[bytes, ...], body: bytes) -> None:
    """Status, headers and what came first are there long before the time is over, whether or not anything came."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in parts[:1]]
    _, (sent,) = exchanged(raw(head, *chunks), get(timeout_s=5))
    assert sent.response is not None
    assert (sent.response.status, sent.response.body, sent.error) == (200, body, "")
    assert sent.done_ns - sent.sent_ns < 4e9


def test_an_event_stream_that_ends_is_read_to_its_end() -> None:
    """What comes at once and is closed is whole."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9\r\n\r\ndata: 1\n\n"
    _, (sent,) = exchanged(raw(head), get())
    assert sent.response is not None
    assert sent.response.body == b"data: 1\n\n"
