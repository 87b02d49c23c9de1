"""Opens the stores in Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_impl.stores.choice import Stores
from reference_impl.stores.redis.bus import RedisBus
from reference_impl.stores.redis.cache import RedisCache
from reference_impl.stores.redis.limits import RedisLimits
from reference_impl.stores.redis.server import Server

if TYPE_CHECKING:
    from reference_impl.settings import Settings


def open_redis(settings: Settings) -> Stores:
    """Return stores over one pool of connections; nothing is connected yet."""
    storage, cache = settings.storage, settings.cache
    server = Server(storage.redis_url, storage.redis_prefix, storage.redis_timeout_s)
    # An unfinished change is marked until no request that began before it can run and no entry made before it can live.
    mark_s = settings.edge.timeout_s + max(cache.list_age_s, cache.near_age_s)
    kept = RedisCache(server, mark_s, cache.near_entries, cache.near_age_s)
    bus = RedisBus(server)

    async def close() -> None:
        await bus.close()
        await kept.close()
        await server.close()

    return Stores(RedisLimits(server), kept, bus, server.answers, close)
