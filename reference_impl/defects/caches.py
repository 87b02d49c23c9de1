"""Defects of what is kept: S08a, S08b, S16b."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from reference_impl.defects.defect import Defect, changed
from reference_impl.defects.workers import SEVERAL
from reference_impl.procedures.product_batch import BatchInput, batch_update
from reference_impl.stores.choice import open_stores
from reference_impl.stores.memory.lru import Lru

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from reference_impl.application import Parts
    from reference_impl.contract.procedure import Call, Reply
    from reference_impl.settings import Settings
    from reference_impl.stores.cache import Cache, Key, Make
    from reference_impl.stores.choice import Stores

_LOWER = "UPDATE products SET version = version - 1 WHERE id = ?"
_LISTS = ("products.list", "categories.list")


class Wrapped:
    """A cache that passes on what a defect leaves as it is."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def get(self, key: Key) -> bytes | None:
        """Pass on."""
        return await self._cache.get(key)

    async def set(self, key: Key, value: bytes, age_s: float) -> None:
        """Pass on."""
        await self._cache.set(key, value, age_s)

    async def get_or_set(self, key: Key, age_s: float, make: Make) -> bytes:
        """Pass on."""
        return await self._cache.get_or_set(key, age_s, make)

    async def delete(self, key: Key) -> None:
        """Pass on."""
        await self._cache.delete(key)

    async def delete_prefix(self, prefix: Key) -> None:
        """Pass on."""
        await self._cache.delete_prefix(prefix)

    async def incr(self, key: Key, age_s: float, by: int = 1) -> int:
        """Pass on."""
        return await self._cache.incr(key, age_s, by)

    async def expire(self, key: Key, age_s: float) -> bool:
        """Pass on."""
        return await self._cache.expire(key, age_s)

    @contextlib.asynccontextmanager
    async def changing(self, *families: Key) -> AsyncIterator[None]:
        """Pass on."""
        async with self._cache.changing(*families):
            yield


class NearFirst(Wrapped):
    """A copy in this process's memory is asked first, and what another process changes does not reach it."""

    def __init__(self, cache: Cache, entries: int) -> None:
        super().__init__(cache)
        self._near: Lru[bytes] = Lru(entries, float("inf"))

    async def get_or_set(self, key: Key, age_s: float, make: Make) -> bytes:
        """Serve the copy, or keep one for as long as the defect has it."""
        held = self._near.get(key)
        if held is None:
            held = await self._cache.get_or_set(key, age_s, make)
            self._near.put(key, held, self.kept_s(age_s))
        else:
            self.was_read(key, held, age_s)
        return held

    @contextlib.asynccontextmanager
    async def changing(self, *families: Key) -> AsyncIterator[None]:
        """Forget the copies of this process."""
        async with self._cache.changing(*families):
            yield
        for family in families:
            self._near.pop_prefix(family)

    def kept_s(self, age_s: float) -> float:
        """How long a new copy lives."""
        return age_s

    def was_read(self, key: Key, value: bytes, age_s: float) -> None:
        """What a read does to a copy."""


class Renewed(NearFirst):
    """S08a: each read begins a copy's age anew."""

    def was_read(self, key: Key, value: bytes, age_s: float) -> None:
        """Keep it for its whole age from now."""
        self._near.put(key, value, age_s)


class FiveMinutes(NearFirst):
    """S08b: a copy lives five minutes, however little is left of what it was copied from."""

    def kept_s(self, age_s: float) -> float:
        """Take no notice of the age."""
        del age_s
        return 300.0


def plant_renewed(parts: Parts) -> Parts:
    """S08a: use the copies that reading renews."""
    return replace(parts, stores=lambda settings: _near(settings, Renewed))


def plant_five_minutes(parts: Parts) -> Parts:
    """S08b: use the copies that live five minutes."""
    return replace(parts, stores=lambda settings: _near(settings, FiveMinutes))


def _near(settings: Settings, kind: type[NearFirst]) -> Stores:
    stores = open_stores(settings)
    return replace(stores, cache=kind(stores.cache, settings.cache.near_entries))


async def batch_without_version(call: Call[BatchInput, None]) -> Reply:
    """S16b: change the products and leave their versions as they were."""
    reply = await batch_update(call)
    for product_id in call.body.ids:
        if product_id not in reply.value.failed:
            await call.database.run(_LOWER, product_id)
    return reply


DEFECTS = (
    Defect(
        id="S08a",
        title="Reading a worker's own copy of a list renews its age",
        codes=("cache.outlived",),
        operations=_LISTS,
        plant=plant_renewed,
        profile=SEVERAL,
    ),
    Defect(
        id="S08b",
        title="A worker's own copy of a list lives five minutes",
        codes=("cache.outlived",),
        operations=_LISTS,
        plant=plant_five_minutes,
        profile=SEVERAL,
    ),
    Defect(
        id="S16b",
        title="A batch update leaves version and entity tag as they were",
        codes=("cache.tag", "cache.not-modified"),
        operations=("products.get",),
        plant=changed("products.batchUpdate", handler=batch_without_version),
    ),
)
