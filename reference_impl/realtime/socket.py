"""The life of one WebSocket: silence ends it, a slow client is let go, whoever ends it says why."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import uuid_utils
from msgspec import UNSET

from reference_impl.data.database import DatabaseError
from reference_impl.edge.outer import told
from reference_impl.errors import ApiError
from reference_impl.realtime.frames import Refused
from reference_impl.realtime.talk import Answered, Talk

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
        self._talk = Talk(hub, self, standing)
        self._out: deque[str] = deque()
        self._waiting, self._sent = asyncio.Event(), asyncio.Event()
        self._sent.set()
        self._ending: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()

    def tell(self, frame: ServerFrame) -> None:
        """Send a message soon; a client too slow for it is let go."""
        if self._ending.done():
            return
        if len(self._out) >= self._settings.waiting:
            self._out.clear()
            self.end(*TOO_SLOW)
            return
        self._out.append(_encode(frame).decode())
        self._sent.clear()
        self._waiting.set()

    def end(self, code: int, reason: str) -> None:
        """Close soon; the first to say so counts."""
        if not self._ending.done():
            self._ending.set_result((code, reason))

    async def run(self, receive: Receive, send: Send) -> None:
        """Talk until either side ends it."""
        writer = asyncio.create_task(self._write(send))
        try:
            await self._heard(self._talk.open())
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
                timeout_s = min(left_s, self._settings.heartbeat_s)
                either: set[asyncio.Future[Any]] = {receiving, self._ending}
                done, _ = await asyncio.wait(either, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
                if receiving in done:
                    message, receiving = receiving.result(), None
                    if message["type"] == "websocket.disconnect":
                        return True
                    await self._heard(self._hear(message))
                    heard_s = time.monotonic()
                elif time.monotonic() >= heard_s + self._settings.silence_s:
                    self.end(*SILENT)
                elif not done:
                    await self._still()
            return False
        finally:
            if receiving is not None:
                receiving.cancel()
                await asyncio.gather(receiving, return_exceptions=True)

    async def _still(self) -> None:
        """Ask again whether the session holds; a database that is gone is asked next time."""
        with suppress(ApiError, DatabaseError):
            await self._talk.stand()

    async def _hear(self, message: Message) -> None:
        text = message.get("text")
        if text is None:
            raise ApiError("UNSUPPORTED_MEDIA_TYPE", "Messages are text.")
        await self._talk.hear(text)

    async def _heard(self, work: Awaitable[None]) -> None:
        """Answer a refused message with the error envelope."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - logged whole; the client gets the envelope and nothing else
            self._refuse(told(self._exchange, error))
            if self._exchange.fault is not None:
                for report in self._watchers.failed:
                    report(self._exchange, self._exchange.fault)
                self._exchange.fault = None

    def _refuse(self, error: ApiError) -> None:
        reply_to = error.reply_to if isinstance(error, Answered) else UNSET
        self.tell(Refused(reply_to=reply_to, error=error.envelope(self._exchange.request_id).error))

    async def _write(self, send: Send) -> None:
        with suppress(OSError):
            while True:
                await self._waiting.wait()
                while self._out:
                    await send({"type": "websocket.send", "text": self._out[0]})
                    self._out.popleft()
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
