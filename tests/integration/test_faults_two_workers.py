"""Two workers over PostgreSQL and Redis, either of which is killed, paused or restarted in order amid orders."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
import pytest

from tests.integration import kept_orders
from tests.integration.served import Shop
from tests.servers.api import Api
from tests.servers.postgres import own_postgres  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from reference_impl.data.database import Row
    from tests.servers.postgres import Cluster
    from tests.servers.redis import RedisServer

STOCK = 100_000
BUYERS = 4
WAIT_S = 1
COMMAND_S = 2
REDIS_S = 0.5
# A connection and a statement of the tenant's and of the catalogue, what is asked of Redis, and a busy machine.
BOUND_S = 2 * (WAIT_S + COMMAND_S) + 3 * REDIS_S + 6
RECOVERY_S = 30.0
OUTAGE = {(503, "UNAVAILABLE", True), (504, "TIMEOUT", True)}
SHOWN = ("asyncpg", "redis", "select", "traceback", "127.0.0.1", "reference_impl")
SETTINGS = {
    "API_POOL_WAIT_S": str(WAIT_S),
    "API_COMMAND_TIMEOUT_S": str(COMMAND_S),
    "API_POOL_SIZE": "4",
    "API_REDIS_TIMEOUT_S": str(REDIS_S),
    "API_REQUEST_LOG": "off",
}


@pytest.fixture
def api(tmp_path: Path, own_postgres: Cluster, redis: RedisServer) -> Iterator[Api]:  # noqa: F811 - the fixture
    """Two workers over both."""
    installed = Api(tmp_path, API_DATABASE_URL=own_postgres.url(), API_REDIS_URL=redis.url, **SETTINGS)
    installed.set_up("alpha")
    installed.start("--workers", "2")
    yield installed
    installed.stop()


@dataclass
class Buyers:
    """Clients who order without a pause, each time by a connection of its own, so that both workers are asked."""

    address: str
    token: str
    products: list[str]
    going: bool = True
    placed: list[str] = field(default_factory=list)
    """The orders that were acknowledged."""
    refused: int = 0

    async def buy(self, drawn: random.Random) -> None:
        """Order until told to stop; every answer is an order, or an envelope in time."""
        while self.going:
            items = [{"productId": one, "quantity": drawn.randint(1, 3)} for one in drawn.sample(self.products, 2)]
            headers = {"Authorization": f"Bearer {self.token}", "Connection": "close"}
            began = time.monotonic()
            async with httpx.AsyncClient(base_url=self.address, headers=headers, timeout=2 * BOUND_S) as client:
                answer = await client.post("/api/v1/orders", json={"items": items})
            assert time.monotonic() - began < BOUND_S
            if answer.status_code == 201:
                self.placed.append(answer.json()["id"])
                continue
            assert refusal(answer) in OUTAGE, answer.text
            self.refused += 1
            await asyncio.sleep(0.01)

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait for something that the answers show."""
        deadline = time.monotonic() + RECOVERY_S
        while not happened():
            assert time.monotonic() < deadline, (len(self.placed), self.refused)
            await asyncio.sleep(0.02)

    async def more(self, orders: int) -> None:
        """Wait until so many more orders are acknowledged."""
        wanted = len(self.placed) + orders
        await self.until(lambda: len(self.placed) >= wanted)

    async def steady(self) -> None:
        """Wait until so many orders in a row are acknowledged that each worker has met many."""
        placed, refused = len(self.placed), self.refused

        def served() -> bool:
            nonlocal placed, refused
            if self.refused > refused:
                placed, refused = len(self.placed), self.refused
            return len(self.placed) >= placed + 10 * BUYERS

        await self.until(served)

    async def outage(self) -> None:
        """Wait until a few more calls are refused."""
        wanted = self.refused + BUYERS
        await self.until(lambda: self.refused >= wanted)


def refusal(answer: httpx.Response) -> tuple[int, str, bool]:
    """Status, code and retryable of an envelope that shows nothing of the server."""
    assert not any(word in answer.text.lower() for word in SHOWN), answer.text
    error: dict[str, Any] = answer.json()["error"]
    return answer.status_code, error["code"], error["retryable"]


def asking(cluster: Cluster) -> Callable[[str], list[Row]]:
    """Asks the tenant's database itself."""

    def ask(sql: str) -> list[Row]:
        async def work() -> list[Row]:
            connection = await asyncpg.connect(cluster.url(), server_settings={"search_path": "tenant_alpha"})
            try:
                return [tuple(row) for row in await connection.fetch(sql)]
            finally:
                await connection.close()

        return asyncio.run(work())

    return ask


async def stocked(api: Api) -> Buyers:
    """Buyers with an admin's token and new products."""
    async with Shop(api.url) as nobody:
        token = await nobody.log_in()
    async with Shop(api.url, token) as shop:
        category = await shop.category()
        return Buyers(api.url, token, [await shop.product(f"Bowl {number}", category, STOCK) for number in range(3)])


async def killed(server: Cluster | RedisServer, buyers: Buyers) -> None:
    """Gone without a word, and started again."""
    await asyncio.to_thread(server.kill)
    await buyers.outage()
    await asyncio.to_thread(server.start)


async def paused(server: Cluster | RedisServer, buyers: Buyers) -> None:
    """There, and silent."""
    server.pause()
    try:
        await buyers.outage()
    finally:
        server.resume()


async def restarted(server: Cluster | RedisServer, buyers: Buyers) -> None:
    """Ended and started in order, twice; the time between may be too short for a refusal."""
    await asyncio.to_thread(server.restart)
    await buyers.more(BUYERS)
    await asyncio.to_thread(server.restart)


@pytest.mark.parametrize("fault", [killed, paused, restarted])
@pytest.mark.parametrize("struck", ["postgresql", "redis"])
def test_no_acknowledged_order_is_lost_by_a_fault_under_two_workers(
    api: Api,
    own_postgres: Cluster,  # noqa: F811 - the fixture
    redis: RedisServer,
    struck: str,
    fault: Callable[[Any, Buyers], Awaitable[None]],
) -> None:
    """Calls are refused by the envelope in time, both workers serve again by themselves, and what they said holds."""
    workers = api.workers()

    async def run() -> Buyers:
        buyers = await stocked(api)
        async with asyncio.TaskGroup() as clients:
            for number in range(BUYERS):
                clients.create_task(buyers.buy(random.Random(number)))
            await buyers.more(5 * BUYERS)
            await fault({"postgresql": own_postgres, "redis": redis}[struck], buyers)
            await buyers.steady()
            buyers.going = False
        return buyers

    buyers = asyncio.run(run())
    assert api.workers() == workers
    kept_orders.hold(asking(own_postgres), buyers.placed, unknown=buyers.refused, stock=STOCK)
