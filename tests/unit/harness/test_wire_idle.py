"""What the wire keeps open: a server that takes few connections is not filled up by idle ones."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from harness.clock import SystemClock
from harness.exchange import Request
from harness.wire import Wire

TAKEN = 30
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("together", [1, 5])
def test_many_sources_do_not_add_up_to_many_connections(together: int) -> None:
    """Each case speaks from an address of its own; the longest idle connections are closed for the newest."""
    held: set[asyncio.StreamWriter] = set()
    served: list[asyncio.Task[None]] = []
    most = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal most
        if (task := asyncio.current_task()) is not None:
            served.append(task)
        held.add(writer)
        most = max(most, len(held))
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(ANSWER)
        writer.close()
        await writer.wait_closed()
        held.discard(writer)

    async def drive() -> list[int]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        client = Wire(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", SystemClock())
        statuses = []
        for number in range(1, 61):
            request = Request("GET", "/", "read", source=f"127.0.1.{number}")
            answers = await client.release([request] * together)
            statuses += [sent.response.status if sent.response else 0 for sent in answers]
        await client.close()
        server.close()
        await asyncio.gather(*served)
        return statuses

    assert asyncio.run(drive()) == [200] * 60 * together
    assert most <= TAKEN
