"""The cache in Redis, with a bounded map of values before it that each read proves with one small round trip.

A read asks Redis for the entry's token and gets the value only where this process does not hold that very one. So no
worker serves what another has forgotten, no message can be lost on the way, and the values near are as old as Redis
says.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uuid_utils

from reference_impl.errors import ApiError
from reference_impl.stores.cache import family_of
from reference_impl.stores.flights import Flights
from reference_impl.stores.memory.lru import Lru

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from reference_impl.stores.cache import Key, Make
    from reference_impl.stores.redis.server import Server

_HELD = 1
# The trace of a delete outlives everything that was being made when it happened.
_TRACE_MS = 120_000
_AGAIN_S = 0.5
# Longer than any look takes.
_LINGER_S = 2.0


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry as Redis had it: the family's version, whether it was changing, the entry's token and value."""

    version: bytes
    changing: bool
    token: bytes
    value: bytes | None


class RedisCache:
    """Entries in Redis. `mark_s` is how long an unfinished change keeps its families from being cached."""

    def __init__(self, server: Server, mark_s: float, entries: int = 500, age_s: float = 300.0) -> None:
        self._server = server
        self._mark_ms = round(mark_s * 1000)
        self._near: Lru[tuple[bytes, bytes]] = Lru(entries, age_s)
        self._flights = Flights()
        self._owed: set[asyncio.Task[None]] = set()

    async def get(self, key: Key) -> bytes | None:
        """Return the value, or None; also when Redis is gone."""
        seen = await self._look(key)
        return None if seen is None or seen.changing else seen.value

    async def set(self, key: Key, value: bytes, age_s: float) -> None:
        """Keep a value for at most `age_s`; nothing is kept while Redis is gone."""
        with contextlib.suppress(ApiError):
            await self._server.run("set", self._names(key), [_fresh(), b"=" + value, _milliseconds(age_s)])

    async def get_or_set(self, key: Key, age_s: float, make: Make) -> bytes:
        """Return the value, or make it once for all who ask meanwhile; without Redis each makes its own."""
        begun = time.monotonic()
        seen = await self._look(key)
        if seen is None or seen.changing:
            return await make()
        if seen.value is not None:
            return seen.value

        async def fill() -> bytes:
            value = await make()
            left_ms = _milliseconds(age_s - (time.monotonic() - begun))
            if left_ms > 0:
                arguments = [_fresh(), seen.version, seen.token, value, left_ms]
                with contextlib.suppress(ApiError):
                    await self._server.run("store", self._names(key), arguments)
            return value

        return await self._flights.join((key, seen.version, seen.token), fill, min(age_s, _LINGER_S))

    async def delete(self, key: Key) -> None:
        """Forget one entry."""
        await self._server.run("set", self._names(key), [_fresh(), b"", _TRACE_MS])

    async def delete_prefix(self, prefix: Key) -> None:
        """Forget every entry of the family that `prefix` begins with."""
        await self._server.run("finish", self._families([prefix]), [_fresh(), _fresh()])

    async def incr(self, key: Key, age_s: float, by: int = 1) -> int:
        """Add to a counter and return it."""
        return int(await self._server.run("incr", self._names(key), [_fresh(), by, _milliseconds(age_s)]))

    async def expire(self, key: Key, age_s: float) -> bool:
        """Let an entry live `age_s` from now; False when it is not there."""
        return bool(await self._server.run("expire", self._names(key), [_fresh(), _milliseconds(age_s)]))

    @contextlib.asynccontextmanager
    async def changing(self, *families: Key) -> AsyncIterator[None]:
        """Surround a write. If its end cannot be told to Redis, the mark set before keeps all workers off the cache."""
        name, keys = _fresh(), self._families(families)
        await self._server.run("begin", keys[::2], [name, self._mark_ms])
        try:
            yield
        finally:
            try:
                await self._server.run("finish", keys, [name, _fresh()])
            except ApiError:
                self._owe(name, keys)

    async def close(self) -> None:
        """Stop telling Redis what it did not hear; the marks end by themselves."""
        for task in self._owed:
            task.cancel()
        await asyncio.gather(*self._owed, return_exceptions=True)

    def _owe(self, name: str, keys: list[str]) -> None:
        task = asyncio.create_task(self._settle(name, keys))
        self._owed.add(task)
        task.add_done_callback(self._owed.discard)

    async def _settle(self, name: str, keys: list[str]) -> None:
        ends = time.monotonic() + self._mark_ms / 1000
        while time.monotonic() < ends:
            await asyncio.sleep(_AGAIN_S)
            with contextlib.suppress(ApiError):
                await self._server.run("finish", keys, [name, _fresh()])
                return

    async def _look(self, key: Key) -> Seen | None:
        near = self._near.get(key)
        try:
            answer = await self._server.run("look", self._names(key), [_fresh(), near[0] if near else b""])
        except ApiError:
            return None
        version, changing, token, left_ms, value = answer
        if value == _HELD and near is not None:
            return Seen(version, bool(changing), token, near[1])
        if not isinstance(value, bytes):
            self._near.pop(key)
            return Seen(version, bool(changing), token, None)
        self._near.put(key, (token, value), left_ms / 1000)
        return Seen(version, bool(changing), token, value)

    def _names(self, key: Key) -> list[str]:
        generation, changes = self._families([key])[::-1]
        return [self._server.epoch, generation, changes, self._server.name("cache:entry", key)]

    def _families(self, keys: list[Key] | tuple[Key, ...]) -> list[str]:
        kinds = ("cache:changes", "cache:generation")
        return [self._server.name(kind, family_of(key)) for key in keys for kind in kinds]


def _fresh() -> str:
    return str(uuid_utils.uuid4())


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
