"""Faults with real processes: the API killed amid orders, PostgreSQL killed, paused, out of connections."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
import pytest

from tests.integration import kept_orders
from tests.integration.served import Api, Shop, timed
from tests.servers.postgres import own_postgres  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers.postgres import Cluster

KILLS = 20
BUYERS = 6
PRODUCTS = 3
STOCK = 100_000
WAIT_S = 1
COMMAND_S = 2
# The wait for a connection, a statement to its end, and both again for the tenant's catalogue; and a busy machine.
BOUND_S = 2 * (WAIT_S + COMMAND_S) + 6
WAITING = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted"


@pytest.fixture
def open_api(tmp_path: Path) -> Iterator[Callable[..., Api]]:
    """Makes installations whose processes are gone after the test."""
    opened: list[Api] = []

    def open_one(**settings: str) -> Api:
        opened.append(Api(tmp_path, **settings))
        opened[-1].set_up()
        opened[-1].start()
        return opened[-1]

    yield open_one
    for api in opened:
        api.kill()


@pytest.fixture(params=["sqlite", "postgresql"])
def on_engine(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings that name an engine."""
    if request.param == "sqlite":
        return {}
    cluster: Cluster = request.getfixturevalue("own_postgres")
    return {"API_DATABASE_URL": cluster.url()}


async def stocked(api: Api) -> tuple[str, list[str]]:
    """An admin's token and the ids of new products."""
    async with Shop(api.address) as nobody:
        token = await nobody.log_in()
    async with Shop(api.address, token) as shop:
        category = await shop.category()
        return token, [await shop.product(f"Bowl {number}", category, STOCK) for number in range(PRODUCTS)]


async def ordered_until_killed(api: Api, token: str, products: list[str], wanted: int) -> list[str]:
    """The orders that were acknowledged until the API was killed, in the midst of more."""
    placed: list[str] = []

    async def buy(drawn: random.Random) -> None:
        async with Shop(api.address, token) as shop:
            while True:
                two = drawn.sample(products, 2)
                try:
                    answer = await shop.order({product: drawn.randint(1, 3) for product in two})
                except httpx.TransportError:
                    return
                assert answer.status_code == 201, answer.text
                placed.append(answer.json()["id"])
                if len(placed) == wanted:
                    api.kill()

    await asyncio.gather(*[buy(random.Random(wanted * BUYERS + number)) for number in range(BUYERS)])
    return placed


def test_no_acknowledged_order_is_lost_when_the_api_is_killed(
    open_api: Callable[..., Api], on_engine: dict[str, str]
) -> None:
    """After twenty kills amid orders each acknowledged one is there whole, no half one is, and the stock adds up."""
    api = open_api(**on_engine)
    token, products = asyncio.run(stocked(api))
    placed: list[str] = []
    drawn = random.Random(3)
    for _ in range(KILLS):
        placed += asyncio.run(ordered_until_killed(api, token, products, drawn.randint(1, 40)))
        api.start()
    kept_orders.hold(api.rows, placed, unknown=KILLS * BUYERS, stock=STOCK)


def refused(answer: httpx.Response) -> tuple[int, str, bool]:
    """Status, code and retryable of an envelope that shows nothing of the server."""
    assert not any(word in answer.text.lower() for word in ("asyncpg", "select", "traceback", "5432", "reference_impl"))
    error: dict[str, Any] = answer.json()["error"]
    return answer.status_code, error["code"], error["retryable"]


OUTAGE = {(503, "UNAVAILABLE", True), (504, "TIMEOUT", True)}
BOUNDED = {"API_POOL_WAIT_S": str(WAIT_S), "API_COMMAND_TIMEOUT_S": str(COMMAND_S), "API_POOL_SIZE": "4"}


async def outage(api: Api, token: str, products: list[str]) -> None:
    """Every call is refused by the envelope in bounded time, health too, and the process lives on."""
    async with Shop(api.address, token) as shop:
        calls = [shop.client.get(f"/products/{products[0]}") for _ in range(10)]
        calls += [shop.order({products[0]: 1}) for _ in range(5)]
        calls += [shop.client.get(f"{api.address}/health")]
        for answer, took_s in await asyncio.gather(*[timed(call) for call in calls]):
            assert refused(answer) in OUTAGE
            assert took_s < BOUND_S
    assert api.running()


async def recovered(api: Api, token: str, products: list[str]) -> None:
    """The same process serves again."""
    async with Shop(api.address, token) as shop:
        for _ in range(100):
            if (await shop.client.get(f"{api.address}/health")).status_code == 200:
                break
            await asyncio.sleep(0.1)
        answers = await asyncio.gather(*[shop.order({products[0]: 1}) for _ in range(8)])
    assert [answer.status_code for answer in answers] == [201] * 8
    assert api.running()


def test_postgresql_killed_and_started_again(open_api: Callable[..., Api], own_postgres: Cluster) -> None:  # noqa: F811 - the fixture
    """While it is gone calls are refused in time; once it is back the API serves without a start of its own."""
    api = open_api(API_DATABASE_URL=own_postgres.url(), **BOUNDED)
    token, products = asyncio.run(stocked(api))
    for _ in range(2):
        own_postgres.kill()
        asyncio.run(outage(api, token, products))
        own_postgres.start()
        asyncio.run(recovered(api, token, products))
    assert api.rows("SELECT COUNT(*) FROM orders") == [(16,)]
    assert dict(api.rows("SELECT id, stock FROM products"))[products[0]] == STOCK - 16


def test_postgresql_paused(open_api: Callable[..., Api], own_postgres: Cluster) -> None:  # noqa: F811 - the fixture
    """A server silent on open connections costs no more than the time-outs, and is used again when it speaks."""
    api = open_api(API_DATABASE_URL=own_postgres.url(), **BOUNDED)
    token, products = asyncio.run(stocked(api))
    asyncio.run(recovered(api, token, products))
    own_postgres.pause()
    try:
        asyncio.run(outage(api, token, products))
        asyncio.run(outage(api, token, products))
    finally:
        own_postgres.resume()
    asyncio.run(recovered(api, token, products))
    left = dict(api.rows("SELECT id, stock FROM products"))
    assert left[products[0]] == STOCK - api.rows("SELECT COUNT(*) FROM orders")[0][0]


def test_an_exhausted_pool_is_told_in_time(open_api: Callable[..., Api], own_postgres: Cluster) -> None:  # noqa: F811 - the fixture
    """With every connection waiting for a lock, further calls get 503 after the wait that was set, and not a hang."""
    api = open_api(
        API_DATABASE_URL=own_postgres.url(), API_POOL_SIZE="2", API_POOL_WAIT_S="0.5", API_COMMAND_TIMEOUT_S="8"
    )

    async def work() -> None:
        token, products = await stocked(api)
        rival = await asyncpg.connect(own_postgres.url())
        async with Shop(api.address) as nobody, Shop(api.address, token) as shop:
            async with rival.transaction():
                await rival.execute("LOCK TABLE tenant_alpha.products IN ACCESS EXCLUSIVE MODE")
                path = f"/products/{products[0]}"
                held = [asyncio.ensure_future(nobody.client.get(path)) for _ in range(2)]
                for _ in range(100):
                    if await rival.fetchval(WAITING) == len(held):
                        break
                    await asyncio.sleep(0.02)
                answer = await shop.client.get("/auth/me")
                assert refused(answer) == (503, "UNAVAILABLE", True)
                assert answer.headers["retry-after"] == "1"
                assert [task.done() for task in held] == [False, False]
            await rival.close()
            assert [(await task).status_code for task in held] == [200, 200]
            assert (await shop.client.get("/auth/me")).status_code == 200

    asyncio.run(work())
