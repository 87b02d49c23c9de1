"""A Redis whose memory is full, set as in compose.yaml: no list is cached any more, nothing else is refused or old."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis as sync
import yaml

from reference_impl.errors import ApiError
from reference_impl.stores.redis.cache import RedisCache
from reference_impl.stores.redis.server import Server
from tests.servers.redis import BINARY as REDIS_BINARY
from tests.servers.redis import MISSING, RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Account, Shop

COMPOSE = yaml.safe_load((Path(__file__).parents[3] / "compose.yaml").read_text())
COMMAND: list[str] = COMPOSE["services"]["redis"]["command"]
POLICY = COMMAND[COMMAND.index("--maxmemory-policy") :][:2]
# Redis lets a script that began with a delete write on: so it is far over its memory, whatever a connection gives back.
OVERFILL = "redis.call('DEL', KEYS[1]) redis.call('SET', KEYS[1], string.rep('x', 4000000)) return 1"

pytestmark = pytest.mark.slow


class Full:
    """A small Redis, and the filling of it."""

    def __init__(self, server: RedisServer) -> None:
        self.url = server.url
        self.client = sync.Redis(port=server.port)

    def fill(self) -> None:
        """Leave no memory; what is there stays."""
        with contextlib.suppress(sync.exceptions.OutOfMemoryError):
            for number in range(10_000):
                self.client.set(f"filler:{number}", b"x" * 1000)
        self.client.eval(OVERFILL, 1, "filler")
        with pytest.raises(sync.exceptions.OutOfMemoryError):
            self.client.set("one", b"more")

    def empty(self) -> None:
        """Take the filling out."""
        self.client.delete("filler", *self.client.keys("filler:*"))

    def entries(self) -> set[bytes]:
        """The lists that it holds."""
        return set(self.client.scan_iter("*:cache:entry:*"))


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Full]:
    """A Redis of 2 MB with the policy of the compose file."""
    if REDIS_BINARY is None:
        pytest.skip(MISSING)
    server = RedisServer(tmp_path)
    server.start("--maxmemory", "2mb", "--appendfsync", "everysec", *POLICY)
    full = Full(server)
    try:
        yield full
    finally:
        full.client.close()
        server.stop()


@pytest.fixture
def beside(open_shop: Callable[..., Shop], small: Full) -> Iterator[Callable[..., Shop]]:
    """Opens shops on that Redis, whose connections end before the shops do."""
    shops: list[Shop] = []

    def open_one(**changes: object) -> Shop:
        shops.append(open_shop(redis_url=small.url, **changes))
        return shops[-1]

    yield open_one
    for shop in shops:
        shop.runner.run(shop.application.stores.close())


def listed(shop: Shop) -> list[str]:
    """The names on the first page."""
    answer = shop.send("GET", "/products")
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


def renamed(shop: Shop, seller: Account, product_id: str, version: int) -> str:
    """Give the product a new name, and return it."""
    name = f"Name {version}"
    change = {"name": name, "version": version}
    answer = shop.send("PATCH", f"/products/{product_id}", seller, json=change)
    assert answer.status_code == 200, answer.text
    return name


@pytest.mark.engines("sqlite")
def test_a_full_redis_serves_no_old_list_and_refuses_no_write(beside: Callable[..., Shop], small: Full) -> None:
    """A list that was cached is read on, and forgotten by a write; what comes after is read from the rows each time."""
    shop = beside()
    seller = shop.account("seller")
    product = shop.product(seller)
    assert listed(shop) == ["Walnut bowl"]
    held = small.entries()
    small.fill()
    assert listed(shop) == ["Walnut bowl"]
    for version in (1, 2, 3):
        name = renamed(shop, seller, product["id"], version)
        assert [listed(shop), listed(shop)] == [[name], [name]]
    assert shop.send("GET", "/products?limit=7").status_code == 200
    assert small.entries() <= held
    assert shop.send("DELETE", f"/products/{product['id']}", seller).status_code == 204
    assert listed(shop) == []
    small.empty()
    assert shop.send("GET", "/products?limit=9").status_code == 200
    assert small.entries() - held


@pytest.mark.engines("sqlite")
def test_a_full_redis_still_counts(beside: Callable[..., Shop], small: Full) -> None:
    """The quota holds: what is over it is 429, and nothing is 503."""
    shop = beside(global_quota=30)
    small.fill()
    told = [shop.send("GET", "/categories").status_code for _ in range(40)]
    admitted = told.index(429)
    assert 0 < admitted <= 30
    assert told == [200] * admitted + [429] * (40 - admitted)


@pytest.mark.engines("sqlite")
def test_a_worker_that_starts_beside_a_full_redis_works(
    beside: Callable[..., Shop], small: Full, caplog: pytest.LogCaptureFixture
) -> None:
    """It has connections and scripts, also in a run of Redis whose epoch is not told yet; the log says why."""
    small.fill()
    with caplog.at_level(logging.WARNING):
        shop = beside()
        seller = shop.account("seller")
        product = shop.product(seller)
        assert shop.send("GET", "/ready").status_code == 200
        names = [renamed(shop, seller, product["id"], 1), *listed(shop), *listed(shop)]
    assert names == ["Name 1"] * 3
    assert [line for line in caplog.messages if "Redis" in line] == [
        "Redis's memory is full: lists are not cached; raise its maxmemory"
    ]
    assert small.client.get("api:cache:epoch") == small.client.info("server")["run_id"].encode()


KEY = ("a", "x", "1")


def test_a_value_that_a_full_redis_refuses_leaves_no_old_one(small: Full) -> None:
    """What is set, deleted or changed then is nowhere afterwards, and a counter says that it cannot count."""

    async def work() -> list[bytes | None]:
        server = Server(small.url, "api", timeout_s=5.0)
        cache = RedisCache(server, mark_s=60)
        found: list[bytes | None] = []
        for replace in (partial(cache.set, KEY, b"new", 60), partial(cache.delete, KEY), partial(changed, cache)):
            small.empty()
            await cache.set(KEY, b"old", 60)
            found.append(await cache.get(KEY))
            small.fill()
            await replace()
            found.append(await cache.get(KEY))
        with pytest.raises(ApiError, match="does not answer"):
            await cache.incr(("a", "x", "count"), 60)
        await server.close()
        return found

    assert asyncio.run(work()) == [b"old", None] * 3


async def changed(cache: RedisCache) -> None:
    """Change something."""
    async with cache.changing(KEY[:2]):
        pass
