"""The life of one WebSocket: silence ends it, a slow client is let go, whoever ends it says why."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import uuid_utils

from reference_impl.data.database import DatabaseError
from reference_impl.edge.outer import told
from reference_impl.errors import ApiError
from reference_impl.realtime.frames import Refused
from reference_impl.realtime.talk import Talk

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.types import Message, Receive, Send

    from reference_impl.edge.exchange import Exchange
    from reference_impl.edge.outer import Watchers
    from reference_impl.realtime.frames import ServerFrame
    from reference_impl.realtime.hub import Hub
    from reference_impl.realtime.standing import Standing

TOO_SLOW = (1013, "Too slow")
SILENT = (1000, "Ping timeout")
NOT_NOW = (1013, "Try again later")
# How long a client that takes nothing is waited for at the end.
_FLUSH_S = 1.0
_encode = msgspec.json.Encoder().encode


class Socket:
    """One open connection."""

    def __init__(self, hub: Hub, exchange: Exchange, standing: Standing | None, watchers: Watchers) -> None:
        self.id = str(uuid_utils.uuid7())
        self._settings = hub.services.settings.realtime
        self._exchange = exchange
        self._watchers = watchers
        self._standing = standing
        self._talk = Talk(hub, self, standing)
        self._out: deque[bytes] = deque()
        self._out_bytes = 0
        self._waiting, self._sent = asyncio.Event(), asyncio.Event()
        self._sent.set()
        self._ending: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._doubted = asyncio.get_running_loop().create_future()

    def tell(self, frame: ServerFrame) -> None:
        """Send a message soon; a client too slow for it is let go."""
        if self._ending.done():
            return
        text = _encode(frame)
        bound, waiting = self._settings.waiting_bytes, len(self._out)
        # A message that finds none before it may be of any size.
        if waiting >= self._settings.waiting or (waiting and self._out_bytes + len(text) > bound):
            while len(self._out) > 1:  # the first is being sent
                self._out.pop()
            self.end(*TOO_SLOW)
            return
        self._out.append(text)
        self._out_bytes += len(text)
        self._sent.clear()
        self._waiting.set()

    def end(self, code: int, reason: str) -> None:
        """Close soon; the first to say so counts."""
        if not self._ending.done():
            self._ending.set_result((code, reason))

    def doubt(self) -> None:
        """Have it asked soon whether the session or key holds still."""
        if not self._doubted.done():
            self._doubted.set_result(None)

    async def run(self, receive: Receive, send: Send) -> None:
        """Talk until either side ends it."""
        writer = asyncio.create_task(self._write(send))
        try:
            if not await self._heard(self._talk.open()):
                self.end(*NOT_NOW)
            left = await self._read(receive)
            if not left:
                await self._close(send)
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            await self._talk.close()

    async def _read(self, receive: Receive) -> bool:
        """Hear messages; True when the client left, False when the end was told by `end`."""
        receiving: asyncio.Task[Message] | None = None
        heard_s = time.monotonic()
        try:
            while not self._ending.done():
                receiving = receiving or asyncio.create_task(_next(receive))
                left_s = max(0.0, heard_s + self._settings.silence_s - time.monotonic())
                timeout_s = min(left_s, self._standing.holds_s) if self._standing else left_s
                either: set[asyncio.Future[Any]] = {receiving, self._ending, self._doubted}
                done, _ = await asyncio.wait(either, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
                if self._standing and (self._doubted in done or not self._standing.holds_s):
                    await self._still()
                if receiving in done:
                    message, receiving = receiving.result(), None
                    if message["type"] == "websocket.disconnect":
                        return True
                    await self._heard(self._talk.hear(message.get("text")))
                    heard_s = time.monotonic()
                elif time.monotonic() >= heard_s + self._settings.silence_s:
                    self.end(*SILENT)
            return False
        finally:
            if receiving is not None:
                receiving.cancel()
                await asyncio.gather(receiving, return_exceptions=True)

    async def _still(self) -> None:
        """Ask again whether the session or key holds; a database that is gone is asked next time."""
        self._doubted = asyncio.get_running_loop().create_future()
        with suppress(ApiError, DatabaseError):
            await self._talk.stand()

    async def _heard(self, work: Awaitable[None]) -> bool:
        """Answer a refused message with the error envelope; say whether it was none."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - logged whole; the client gets the envelope and nothing else
            self._refuse(told(self._exchange, error))
            if self._exchange.fault is not None:
                for report in self._watchers.failed:
                    report(self._exchange, self._exchange.fault)
                self._exchange.fault = None
            return False
        return True

    def _refuse(self, error: ApiError) -> None:
        self.tell(Refused(reply_to=self._talk.reply_to, error=error.envelope(self._exchange.request_id).error))

    async def _write(self, send: Send) -> None:
        with suppress(OSError):
            while True:
                await self._waiting.wait()
                while self._out:
                    await send({"type": "websocket.send", "text": self._out[0].decode()})
                    self._out_bytes -= len(self._out.popleft())
                self._waiting.clear()
                self._sent.set()

    async def _close(self, send: Send) -> None:
        """Say why it ends, after what waits; who takes nothing is not waited for long."""
        code, reason = self._ending.result()
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(_FLUSH_S):
                await self._sent.wait()
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(_FLUSH_S):
                await send({"type": "websocket.close", "code": code, "reason": reason})


async def _next(receive: Receive) -> Message:
    return await receive()
