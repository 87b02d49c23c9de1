"""One connection to an application, without a network, whose time goes on when it is told."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.server import ServerState

from reference_impl.edge.malformed import Protocol
from reference_impl.realtime.wire import SocketProtocol

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.types import Receive, Scope, Send

TIMEOUT_S = 10.0


@dataclass
class Timer:
    """A call that is due at an instant."""

    due_s: float
    call: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        """Make it never come."""
        self.cancelled = True


@dataclass
class Clock:
    """A loop whose time goes on only when it is told."""

    now_s: float = 0.0
    timers: list[Timer] = field(default_factory=list)

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """Note a call."""
        self.timers.append(Timer(self.now_s + delay_s, call))
        return self.timers[-1]

    def create_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin work."""
        return asyncio.get_running_loop().create_task(work)

    def forward(self, seconds: float) -> None:
        """Let time go on, with what is due in it."""
        end_s = self.now_s + seconds
        while due := [one for one in self.timers if not one.cancelled and one.due_s <= end_s]:
            first = min(due, key=lambda one: one.due_s)
            self.timers.remove(first)
            self.now_s = first.due_s
            first.call()
        self.now_s = end_s


class Wire(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.written = b""
        self.unread_bytes = 0
        self.closed = self.aborted = False
        self.ended = False
        self.reader: asyncio.BaseProtocol | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it; what comes after the end is lost, as in a true one."""
        if not self.closed:
            self.written += data

    def close(self) -> None:
        """End."""
        self.closed = True

    def abort(self) -> None:
        """End at once."""
        self.closed = self.aborted = True

    def get_write_buffer_size(self) -> int:
        """What was written and not taken."""
        return self.unread_bytes

    def is_closing(self) -> bool:
        """Whether it ended."""
        return self.closed

    def can_write_eof(self) -> bool:
        """As TCP can."""
        return True

    def write_eof(self) -> None:
        """End one direction."""
        self.ended = True

    def pause_reading(self) -> None:
        """Nothing to hold back: a test sends what it means to."""

    def resume_reading(self) -> None:
        """As above."""

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Note who reads from now on."""
        self.reader = protocol


class Client:
    """One connection to an application whose first request is worked on until it is told to end."""

    def __init__(self) -> None:
        self.settings = SimpleNamespace(edge=SimpleNamespace(timeout_s=TIMEOUT_S))
        self.clock, self.wire, self.done = Clock(), Wire(), asyncio.Event()
        config = uvicorn.Config(
            self,
            http=Protocol,
            ws=SocketProtocol,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
        )
        loop: Any = self.clock
        self.protocol = Protocol(config=config, server_state=ServerState(), app_state={}, _loop=loop)
        self.protocol.connection_made(self.wire)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer once the body is there, the first when it is told to, an early one before."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        early = scope["path"] == "/early"
        while not early and (await receive()).get("more_body"):
            pass
        if scope["path"] == "/first":
            await self.done.wait()
        length = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 401 if early else 200, "headers": length})
        await send({"type": "http.response.body"})

    async def send(self, data: bytes) -> list[int]:
        """Send bytes; the statuses of all answers until now."""
        self.protocol.data_received(data)
        return await self.answered()

    async def finish(self) -> list[int]:
        """End the work on the first; the statuses of all answers until now."""
        self.done.set()
        return await self.answered()

    async def answered(self) -> list[int]:
        """Let whoever can go on do so."""
        for _ in range(10):
            await asyncio.sleep(0)
        return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", self.wire.written)]
