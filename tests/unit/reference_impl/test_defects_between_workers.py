"""Defects that only several workers have: two processes that share a Redis do not agree."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import TYPE_CHECKING

import pytest

from reference_impl.application import Parts
from reference_impl.defects.catalogue import DEFECTS, named
from reference_impl.defects.workers import SEVERAL
from reference_impl.settings import load
from reference_impl.stores.limits import Rule
from tests.unit.reference_impl import tellers_caches

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from reference_impl.stores.choice import Stores
    from tests.servers.redis import RedisServer


@contextlib.asynccontextmanager
async def two_workers(parts: Parts, url: str) -> AsyncIterator[tuple[Stores, Stores]]:
    """The stores of two processes that share a Redis."""
    settings = load({"API_REDIS_URL": url, "API_REDIS_PREFIX": uuid.uuid4().hex, "API_LIST_AGE_S": "60"})
    first, second = parts.stores(settings), parts.stores(settings)
    try:
        yield first, second
    finally:
        await first.close()
        await second.close()


async def stale_list(first: Stores, second: Stores) -> bool:
    """Tell S07: a list that one worker holds is not forgotten when another changes what is on it."""
    rows = [b"before"]

    async def listed() -> bytes:
        return rows[0]

    key = ("alpha", "products", "list")
    await second.cache.get_or_set(key, 60, listed)
    async with first.cache.changing(key[:2]):
        rows[0] = b"after"
    return await second.cache.get_or_set(key, 60, listed) == b"before"


async def counted_twice(first: Stores, second: Stores) -> bool:
    """Tell W01: what one worker admitted is not counted by another."""
    rule = Rule("create", 1, 60)
    return all([(await stores.limits.take(("alpha", "me"), rule)).allowed for stores in (first, second)])


BETWEEN_WORKERS: dict[str, Callable[[Stores, Stores], Awaitable[bool]]] = {
    "S07": stale_list,
    "W01": counted_twice,
    **tellers_caches.BETWEEN_WORKERS,
}


@pytest.mark.parametrize("defect_id", BETWEEN_WORKERS)
def test_a_defect_of_two_workers_shows_between_them(redis_server: RedisServer, defect_id: str) -> None:
    """It is seen with the defect planted and not in the clean build."""

    async def tells(parts: Parts) -> bool:
        async with two_workers(parts, redis_server.url) as pair:
            return await BETWEEN_WORKERS[defect_id](*pair)

    assert asyncio.run(tells(named(defect_id).plant(Parts()))) is True
    assert asyncio.run(tells(Parts())) is False


def test_every_defect_of_two_workers_has_a_teller() -> None:
    """No defect of this profile is listed that no test has seen."""
    assert sorted(BETWEEN_WORKERS) == sorted(defect.id for defect in DEFECTS if defect.profile == SEVERAL)
