"""The benchmarks' client: raw requests over kept connections, closed loop to saturate, open loop to time.

A closed loop sends the next request when an answer came: it finds the rate that a server can do. An open loop sends on
a timetable and counts latency from the instant a request was due, so a server that stalls is not given a rest.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httptools
import uvloop

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Measured:
    """What came of one loop: answers by status, latencies in ns, seconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies_ns: list[int] = field(default_factory=list)
    seconds: float = 0.0
    bodies: dict[int, bytes] = field(default_factory=dict)
    """The last body of each status, to say what went wrong."""

    @property
    def rate_per_s(self) -> float:
        """Answers a second."""
        return sum(self.statuses.values()) / self.seconds

    def quantile_ms(self, share: float) -> float:
        """The latency that this share of the answers is not above; nearest rank."""
        ordered = sorted(self.latencies_ns)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1e6


class Connection(asyncio.Protocol):
    """One connection: sends a request, wakes its waiter when the answer is whole."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.waiter: asyncio.Future[int] | None = None
        self.parser = httptools.HttpResponseParser(self)
        self.body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        """Forget the last body."""
        self.body = b""

    def on_body(self, body: bytes) -> None:
        """Keep the body."""
        self.body += body

    def on_message_complete(self) -> None:
        """Hand the status over."""
        waiter, self.waiter = self.waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(self.parser.get_status_code())
        self.parser = httptools.HttpResponseParser(self)

    def connection_lost(self, _error: Exception | None) -> None:
        """An answer that will not come has status 0."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(0)

    async def exchange(self, request: bytes) -> int:
        """Send one request and return its answer's status."""
        self.waiter = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.waiter


async def connected(port: int, count: int) -> list[Connection]:
    """Open so many connections."""
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(count)]


def closed(  # noqa: PLR0913 - what a loop is told, all by name
    port: int,
    make: Callable[[int], bytes],
    *,
    connections: int,
    duration_s: float = 600.0,
    count: int = 1 << 60,
    first: int = 0,
    answers: list[bytes] | None = None,
) -> Measured:
    """Keep every connection busy for so long or for so many; request number n is `make(n)`, counted from `first`.

    `answers` takes every body.
    """

    async def run() -> Measured:
        measured, number = Measured(), first
        opened = await connected(port, connections)
        began = time.perf_counter()
        ends = began + duration_s

        async def one(connection: Connection) -> None:
            nonlocal number
            while time.perf_counter() < ends and number < first + count:
                mine, number = number, number + 1
                sent_ns = time.perf_counter_ns()
                status = await asyncio.wait_for(connection.exchange(make(mine)), 30)
                measured.latencies_ns.append(time.perf_counter_ns() - sent_ns)
                measured.statuses[status] += 1
                measured.bodies[status] = connection.body
                if answers is not None:
                    answers.append(connection.body)

        await asyncio.gather(*(one(connection) for connection in opened))
        measured.seconds = time.perf_counter() - began
        for connection in opened:
            connection.transport.close()
        return measured

    return uvloop.run(run())


def timed(
    port: int, make: Callable[[int], bytes], *, rate_per_s: float, duration_s: float, connections: int, first: int = 0
) -> Measured:
    """Send at a rate on a fixed timetable; a request waits for a free connection, and its latency counts the wait."""

    async def run() -> Measured:
        measured = Measured()
        idle: asyncio.Queue[Connection] = asyncio.Queue()  # in turn, so that none is idle for long enough to be closed
        for connection in await connected(port, connections):
            idle.put_nowait(connection)
        began_ns = time.perf_counter_ns()
        count = max(20, int(rate_per_s * duration_s))

        async def one(number: int) -> None:
            due_ns = began_ns + int(number / rate_per_s * 1e9)
            await asyncio.sleep(max(0.0, (due_ns - time.perf_counter_ns()) / 1e9))
            connection = await idle.get()
            status = await asyncio.wait_for(connection.exchange(make(first + number)), 30)
            idle.put_nowait(connection)
            measured.latencies_ns.append(time.perf_counter_ns() - due_ns)
            measured.statuses[status] += 1
            measured.bodies[status] = connection.body

        await asyncio.gather(*(one(number) for number in range(count)))
        measured.seconds = (time.perf_counter_ns() - began_ns) / 1e9
        while not idle.empty():
            idle.get_nowait().transport.close()
        return measured

    return uvloop.run(run())


def raw(method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> bytes:
    """Return the bytes of one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")
