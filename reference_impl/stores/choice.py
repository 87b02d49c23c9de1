"""Which stores a process uses: Redis where its address is told, else this process's memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reference_impl.stores.memory.bus import MemoryBus
from reference_impl.stores.memory.cache import MemoryCache
from reference_impl.stores.memory.limits import MemoryLimits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reference_impl.settings import Settings
    from reference_impl.stores.bus import Bus
    from reference_impl.stores.cache import Cache
    from reference_impl.stores.limits import Limits


async def _nothing() -> None:
    """Close what needs no closing."""


async def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of one process, whether they answer, and how they are closed."""

    limits: Limits
    cache: Cache
    bus: Bus
    healthy: Callable[[], Awaitable[bool]] = _always
    close: Callable[[], Awaitable[None]] = _nothing


def open_stores(settings: Settings) -> Stores:
    """Return the stores that the settings name; nothing is connected yet."""
    storage, cache = settings.storage, settings.cache
    if not storage.redis_url:
        return Stores(MemoryLimits(), MemoryCache(cache.near_entries, cache.near_age_s), MemoryBus())
    # Only here, so that a process without Redis does not load its client.
    from reference_impl.stores.redis.opening import open_redis  # noqa: PLC0415 - see above

    return open_redis(settings)
