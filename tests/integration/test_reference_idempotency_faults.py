"""Idempotency-Key when answers are lost: the API is killed under concurrent orders, and every client asks again."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.servers.api import ADMIN, PASSWORD, Api
from tests.servers.postgres import postgres  # noqa: F401 - the fixture
from tests.servers.redis import BINARY, MISSING, RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.postgres import Cluster

pytestmark = pytest.mark.slow

STOCK = 100_000
KEYS = 120


@pytest.fixture(params=["sqlite", "postgresql"])
def api(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Api]:
    """One worker over SQLite, and two over PostgreSQL and Redis."""
    if request.param == "sqlite":
        installed, redis = Api(tmp_path), None
    else:
        if BINARY is None:
            pytest.skip(MISSING)
        cluster: Cluster = request.getfixturevalue("postgres")
        redis = RedisServer(tmp_path)
        redis.start()
        installed = Api(tmp_path, API_DATABASE_URL=cluster.empty("idempotency"), API_REDIS_URL=redis.url)
        installed.words = ("--workers", "2")
    installed.set_up("alpha")
    yield installed
    installed.stop()
    if redis is not None:
        redis.stop()


def credentials(api: Api) -> dict[str, str]:
    """The admin's."""
    answer = httpx.post(f"{api.url}/api/v1/auth/login", json={"email": ADMIN, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.json()['accessToken']}"}


async def order_all(api: Api, headers: dict[str, str], product_id: str, kill_after: int) -> dict[str, str]:
    """Send an order for each key, each key twice; kill the API when so many are answered; return key to order id."""
    answered: dict[str, str] = {}
    killed = asyncio.Event()

    async def one(client: httpx.AsyncClient, key: str) -> None:
        body = {"items": [{"productId": product_id, "quantity": 1 + int(key) % 3}]}
        try:
            answer = await client.post(
                f"{api.url}/api/v1/orders", json=body, headers={**headers, "Idempotency-Key": key}
            )
        except httpx.TransportError:
            return
        if answer.status_code == 503:  # a worker that outlived its parent says that it ends: as good as no answer
            return
        assert answer.status_code == 201, answer.text
        assert answered.setdefault(key, answer.json()["id"]) == answer.json()["id"], "one key, two orders"
        if len(answered) >= kill_after and not killed.is_set():
            killed.set()
            api.stop()

    keys = [str(number) for number in range(KEYS)] * 2
    random.Random(kill_after).shuffle(keys)
    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=24)) as client:
        await asyncio.gather(*[one(client, key) for key in keys])
    return answered


def test_whoever_asks_again_has_one_order(api: Api) -> None:
    """Killed twice in the middle, asked again to the end: one order a key, and the id that was told stays its id."""
    api.start(*api.words)
    headers = credentials(api)
    category = httpx.post(f"{api.url}/api/v1/categories", json={"name": "Bowls"}, headers=headers).json()["id"]
    body = {"name": "Bowl", "price": 1, "stock": STOCK, "categoryId": category}
    product_id = httpx.post(f"{api.url}/api/v1/products", json=body, headers=headers).json()["id"]
    told: dict[str, str] = {}
    for kill_after in (15, 40, 10 * KEYS):
        now = asyncio.run(order_all(api, headers, product_id, kill_after))
        assert {key: told[key] for key in told.keys() & now.keys()} == {
            key: now[key] for key in told.keys() & now.keys()
        }
        told |= now
        if api.process is not None and api.process.poll() is not None:
            api.start(*api.words)
    assert len(told) == len(set(told.values())) == KEYS
    product = httpx.get(f"{api.url}/api/v1/products/{product_id}").json()
    assert STOCK - product["stock"] == sum(1 + number % 3 for number in range(KEYS))
    orders = httpx.get(f"{api.url}/api/v1/orders?limit=1", headers=headers).json()
    assert orders["total"] == KEYS
