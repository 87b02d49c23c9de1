"""The bus over Redis: a worker's own subscribers hear it at once, the other workers' through Redis."""

from __future__ import annotations

import asyncio
import contextlib
from contextvars import Context
from typing import TYPE_CHECKING
from urllib.parse import unquote

import uuid_utils
from redis.exceptions import RedisError

from reference_impl.errors import ApiError
from reference_impl.stores.bus import LOST
from reference_impl.stores.memory.bus import MemoryBus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio.client import PubSub

    from reference_impl.stores.bus import Key, Subscription
    from reference_impl.stores.redis.server import Server

_QUIET_S = 1.0
_AGAIN_S = 0.2


class RedisBus:
    """One subscription a process to every channel; after each interruption all subscribers hear LOST."""

    def __init__(self, server: Server, quiet_s: float = _QUIET_S) -> None:
        self._server = server
        self._quiet_s = quiet_s
        self._here = MemoryBus()
        self._sender = uuid_utils.uuid4().bytes
        self._listener: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()

    async def publish(self, channel: Key, message: bytes = LOST) -> None:
        """Hand a message to whoever subscribes now; the other workers' poll where Redis is gone."""
        self._here.deliver(channel, message)
        with contextlib.suppress(ApiError):
            await self._server.call("PUBLISH", self._server.name("bus", channel), self._sender + message)

    @contextlib.asynccontextmanager
    async def subscribe(self, channel: Key) -> AsyncIterator[Subscription]:
        """Collect the channel's messages from entering on; what comes while Redis is gone is told as LOST later."""
        if self._listener is None:
            # All subscribers share it: it works for the request of none.
            self._listener = asyncio.create_task(self._listen_forever(), context=Context())
        async with self._here.subscribe(channel) as subscription:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._quiet_s):
                    await self._listening.wait()
            yield subscription

    async def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)

    async def _listen_forever(self) -> None:
        while True:
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                async with self._server.client.pubsub() as pubsub:
                    await self._listen(pubsub)
            self._listening.clear()
            await asyncio.sleep(_AGAIN_S)

    async def _listen(self, pubsub: PubSub) -> None:
        """Deliver until the connection is lost or silent; a quiet one is asked for a sign of life."""
        async with asyncio.timeout(self._quiet_s):
            await pubsub.psubscribe(f"{self._server.name('bus', ())}*")
        asked = False
        while True:
            message = await pubsub.get_message(timeout=self._quiet_s)
            if message is None:
                if asked:
                    return
                asked = True
                async with asyncio.timeout(self._quiet_s):
                    await pubsub.ping()
                continue
            asked = False
            self._take(message["type"], message["channel"], message["data"])

    def _take(self, kind: str, channel: bytes | None, data: bytes) -> None:
        if kind == "psubscribe":
            self._listening.set()
            self._here.lost()
        elif kind == "pmessage" and channel is not None and data[:16] != self._sender:
            parts = channel.decode().removeprefix(self._server.name("bus", ())).split(":")
            self._here.deliver(tuple(unquote(part) for part in parts), data[16:])
