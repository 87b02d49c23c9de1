"""Work that takes too long in a real process: it is answered in time, ended, and nothing of it is kept (A6)."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
import pytest

from tests.servers.api import ADMIN, PASSWORD, Api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

pytestmark = pytest.mark.slow

TIMEOUT_S = 1.0
STOCK = 10
WAITING = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
def api(tmp_path: Path, database: Callable[[], dict[str, str]]) -> Iterator[Api]:
    """A server whose answers begin within a second, and whose statements might take ten."""
    installed = Api(tmp_path, API_TIMEOUT_S=str(TIMEOUT_S), API_COMMAND_TIMEOUT_S="10", **database())
    installed.set_up("alpha")
    installed.start()
    yield installed
    installed.stop()
    assert "Traceback" not in installed.log()


def file_of(api: Api) -> Path:
    """The tenant's SQLite file."""
    (found,) = Path(api.environment["API_DATA"]).rglob("alpha.sqlite")
    return found


@contextlib.asynccontextmanager
async def held(api: Api) -> AsyncIterator[Callable[[], Any]]:
    """Another connection keeps what the last statements of an order need; gives how many wait for it."""
    if url := api.environment.get("API_DATABASE_URL"):
        rival = await asyncpg.connect(url)
        try:
            async with rival.transaction():
                # The stock is drawn and the order written by the time that an event is.
                await rival.execute("LOCK TABLE tenant_alpha.events IN SHARE MODE")
                yield lambda: rival.fetchval(WAITING)
        finally:
            await rival.close()
    else:
        with contextlib.closing(sqlite3.connect(file_of(api))) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield lambda: asyncio.sleep(0, 0)
            connection.rollback()


async def prepared(client: httpx.AsyncClient) -> dict[str, Any]:
    """The body of an order of one new product, with the admin signed in."""
    login = await client.post("/auth/login", json={"email": ADMIN, "password": PASSWORD})
    client.headers["Authorization"] = f"Bearer {login.json()['accessToken']}"
    category = (await client.post("/categories", json={"name": "Bowls"})).json()["id"]
    product = {"name": "Bowl", "price": 2, "stock": STOCK, "categoryId": category}
    made = await client.post("/products", json=product)
    assert made.status_code == 201, made.text
    return {"items": [{"productId": made.json()["id"], "quantity": 3}]}


async def counted(client: httpx.AsyncClient, body: dict[str, Any]) -> tuple[int, int]:
    """How many orders there are, and what is left of the stock."""
    product = (await client.get(f"/products/{body['items'][0]['productId']}")).json()
    return (await client.get("/orders")).json()["total"], product["stock"]


def test_work_that_takes_too_long_is_504_and_undone(api: Api) -> None:
    """Held up at its end by another's lock, an order is TIMEOUT in time, waits no longer, and leaves nothing."""

    async def run() -> None:
        async with httpx.AsyncClient(base_url=f"{api.url}/api/v1", timeout=20) as client:
            body = await prepared(client)
            key = {"Idempotency-Key": "k-1"}
            async with held(api) as waiting:
                began_s = time.monotonic()
                sent = [client.post("/orders", json=body, headers=key), client.post("/orders", json=body)]
                sent.append(client.post(f"{api.url}/api/rpc/orders/create", json={"json": body}))
                answers = await asyncio.gather(*sent)
                assert TIMEOUT_S <= time.monotonic() - began_s < TIMEOUT_S + 3
                for answer in answers:
                    told = answer.json().get("json", {}).get("data") or answer.json()
                    assert (answer.status_code, told["error"]["code"]) == (504, "TIMEOUT"), answer.text
                    assert told["error"]["retryable"]
                while await waiting():
                    assert time.monotonic() - began_s < TIMEOUT_S + 5
            assert await counted(client, body) == (0, STOCK)
            assert (await client.post("/orders", json=body, headers=key)).status_code == 201
            assert await counted(client, body) == (1, STOCK - 3)

    asyncio.run(run())
