"""What a connection says while a request of it is still worked on takes nothing from that request's answer."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from reference_impl.realtime.wire import SocketProtocol
from tests.unit.reference_impl.open_connections import TIMEOUT_S, Client

END_S = TIMEOUT_S + 2.0
FIRST = b"GET /first HTTP/1.1\r\nHost: shop.test\r\n\r\n"
HEAD = b"POST /second HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 4\r\n\r\n"
SECOND = HEAD + b"body"
CLOSING = b"POST /early HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
CLOSING_BODY = b"4\r\nbody\r\n0\r\n\r\n"
UPGRADE = b"GET /ws HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
HANDSHAKE = UPGRADE[:-2] + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"


@given(cut=st.integers(0, len(SECOND)), waited_s=st.floats(0, 4 * END_S), more_s=st.floats(0, END_S - 0.1))
def test_the_first_is_answered_whatever_comes_behind_it(cut: int, waited_s: float, more_s: float) -> None:
    """However much of the next request came, the first has its answer, and a body its whole time from its turn on."""

    async def run() -> None:
        client = Client()
        assert await client.send(FIRST + SECOND[:cut]) == []
        client.clock.forward(waited_s)
        assert not client.wire.closed
        late = 0 < cut < len(HEAD) and waited_s >= END_S
        whole = cut == len(SECOND)
        assert await client.finish() == [200] + [408] * late + [200] * whole
        if len(HEAD) <= cut < len(SECOND):
            client.clock.forward(more_s)
        if not late and not whole:
            assert await client.send(SECOND[cut:]) == [200, 200]

    asyncio.run(run())


def test_a_body_that_does_not_come_ends_the_connection_after_its_own_time() -> None:
    """The clock of a body begins at its request's turn, and does end."""

    async def run() -> None:
        client = Client()
        await client.send(FIRST + HEAD + b"b")
        client.clock.forward(3 * END_S)
        assert await client.finish() == [200]
        client.clock.forward(END_S - 0.1)
        assert not client.wire.closed
        client.clock.forward(0.2)
        assert client.wire.closed

    asyncio.run(run())


def test_what_is_refused_behind_the_first_waits_for_its_answer() -> None:
    """An upgrade, or bytes that are no request, after a head that came in pieces: 400, in order, and then the end."""

    async def run(refused: bytes) -> None:
        client = Client()
        await client.send(FIRST + refused[:9])
        assert await client.send(refused[9:]) == []
        client.clock.forward(3 * END_S)
        assert not client.wire.closed
        assert await client.finish() == [200, 400]
        assert client.wire.written.count(b"VALIDATION_ERROR") == 1
        client.clock.forward(2.0)
        assert client.wire.closed

    for refused in (UPGRADE, b"GET / HTTP\0\r\n\r\n"):
        asyncio.run(run(refused))


@given(cut=st.integers(0, len(CLOSING_BODY)))
def test_an_answer_that_ends_the_connection_is_not_overtaken_by_a_reset(cut: int) -> None:
    """Given before all of the body came, it leaves its client the time to send the rest; given after, it does not."""

    async def run() -> None:
        client = Client()
        assert await client.send(CLOSING + CLOSING_BODY[:cut]) == [401]
        assert b"connection: close" in client.wire.written
        assert client.wire.closed == (cut == len(CLOSING_BODY))
        assert client.wire.ended != client.wire.closed
        assert await client.send(CLOSING_BODY[cut:] + FIRST) == [401], "what comes after is read and thrown away"
        client.clock.forward(2.0)
        assert client.wire.closed

    asyncio.run(run())


def test_a_handshake_is_the_first_or_the_next_of_a_connection() -> None:
    """A WebSocket is opened by the first request, and by one that comes when those before are answered."""

    async def run(before: bytes, expected: list[int]) -> None:
        client = Client()
        client.done.set()
        assert await client.send(before) == expected
        client.protocol.data_received(HANDSHAKE)
        assert isinstance(client.wire.reader, SocketProtocol)
        assert await client.answered() == [*expected, 101]

    asyncio.run(run(b"", []))
    asyncio.run(run(FIRST, [200]))


@given(taken=st.lists(st.booleans(), max_size=30), closing=st.booleans())
def test_a_client_is_let_go_when_it_has_taken_nothing_for_the_time_out(taken: list[bool], closing: bool) -> None:  # noqa: FBT001 - drawn
    """However slowly it takes what was written it has its time anew, also when its connection is to be closed."""

    async def run() -> None:
        client = Client()
        client.wire.unread_bytes = 1000
        client.protocol.pause_writing()
        if closing:
            client.protocol.timeout_keep_alive_handler()
        in_vain = 0
        for some in taken:
            client.wire.unread_bytes -= some
            client.clock.forward(TIMEOUT_S / 4)
            in_vain = 0 if some else in_vain + 1
            assert client.wire.aborted == (in_vain >= 4)
            if in_vain >= 4:
                return
        if not closing:
            client.wire.unread_bytes = 0
            client.protocol.resume_writing()
            client.clock.forward(TIMEOUT_S)
            assert not client.wire.aborted

    asyncio.run(run())


def test_an_answer_that_nobody_takes_is_given_up() -> None:
    """What waits to be written then is not written to a connection that is gone."""

    async def run() -> None:
        client = Client()
        await client.send(FIRST + SECOND)
        client.wire.unread_bytes = 1
        client.protocol.pause_writing()
        assert await client.finish() == []
        client.clock.forward(TIMEOUT_S)
        assert client.wire.aborted
        client.protocol.resume_writing()  # as the loop tells before the end
        client.protocol.connection_lost(None)
        assert await client.answered() == []

    asyncio.run(run())
