"""The cache in this process's memory."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from reference_impl.stores.cache import family_of
from reference_impl.stores.flights import Flights
from reference_impl.stores.memory.lru import Lru

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from reference_impl.stores.cache import Key, Make


class MemoryCache:
    """One bounded map; a count of changes a family tells what was made from rows of before."""

    def __init__(self, entries: int = 500, age_s: float = 300.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._held: Lru[bytes] = Lru(entries, age_s, clock)
        self._clock = clock
        self._changes: dict[Key, int] = {}
        self._flights = Flights()

    async def get(self, key: Key) -> bytes | None:
        """Return the value, or None; reading renews no age."""
        return self._held.get(key)

    async def set(self, key: Key, value: bytes, age_s: float) -> None:
        """Keep a value for at most `age_s`."""
        self._changed(family_of(key))
        self._held.put(key, value, age_s)

    async def get_or_set(self, key: Key, age_s: float, make: Make) -> bytes:
        """Return the value, or make it once for all who ask meanwhile."""
        held = self._held.get(key)
        if held is not None:
            return held
        seen = self._changes.get(family_of(key), 0)

        async def fill() -> bytes:
            begun = self._clock()
            value = await make()
            if self._changes.get(family_of(key), 0) == seen:
                self._held.put(key, value, age_s - (self._clock() - begun))
            return value

        return await self._flights.join((key, seen), fill)

    async def delete(self, key: Key) -> None:
        """Forget one entry."""
        self._changed(family_of(key))
        self._held.pop(key)

    async def delete_prefix(self, prefix: Key) -> None:
        """Forget every entry of the family that `prefix` begins with."""
        self._forget(family_of(prefix))

    async def incr(self, key: Key, age_s: float, by: int = 1) -> int:
        """Add to a counter and return it."""
        self._changed(family_of(key))
        held = self._held.get(key)
        if held is None:
            self._held.put(key, b"%d" % by, age_s)
            return by
        count = int(held) + by
        self._held.replace(key, b"%d" % count)
        return count

    async def expire(self, key: Key, age_s: float) -> bool:
        """Let an entry live `age_s` from now; False when it is not there."""
        held = self._held.get(key)
        if held is not None:
            self._held.put(key, held, age_s)
        return held is not None

    @contextlib.asynccontextmanager
    async def changing(self, *families: Key) -> AsyncIterator[None]:
        """Surround a write: its families are forgotten when it is over, however it ended."""
        try:
            yield
        finally:
            for family in families:
                self._forget(family_of(family))

    def _forget(self, family: Key) -> None:
        self._changed(family)
        self._held.pop_prefix(family)

    def _changed(self, family: Key) -> None:
        self._changes[family] = self._changes.get(family, 0) + 1
