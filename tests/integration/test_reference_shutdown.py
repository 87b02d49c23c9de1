"""The end of the reference API: what was begun is finished, what was acknowledged is kept."""

from __future__ import annotations

import asyncio
import math
import signal
import socket
import time
import timeit
from typing import TYPE_CHECKING

import httpx
import pytest

from reference_impl.identity.passwords import Passwords
from reference_impl.server import GRACE_S
from tests.servers.api import ADMIN, PASSWORD, Api
from tests.servers.redis import BINARY, MISSING, RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.engines("sqlite")
MEMORY_KIB = 65_536
NEW = {"email": "late@example.test", "password": PASSWORD, "name": "Late"}


@pytest.fixture(params=[1, 2])
def api(request: pytest.FixtureRequest, tmp_path: Path, database: Callable[[], dict[str, str]]) -> Iterator[Api]:
    """One worker, and two over a Redis."""
    if request.param == 1:
        installed, redis = Api(tmp_path, **database()), None
    else:
        if BINARY is None:
            pytest.skip(MISSING)
        redis = RedisServer(tmp_path)
        redis.start()
        installed = Api(tmp_path, API_REDIS_URL=redis.url, **database())
    installed.set_up("alpha")
    installed.words = ("--workers", str(request.param))
    yield installed
    installed.stop()
    if redis is not None:
        redis.stop()


def slow() -> dict[str, str]:
    """Settings with which a registration takes 1.5 s where this machine is at its quickest."""
    once = Passwords(time_cost=1, memory_kib=MEMORY_KIB)
    passes = math.ceil(1.5 / min(timeit.repeat(lambda: once.hash_now(PASSWORD), number=1, repeat=3)))
    return {"API_ARGON2_TIME_COST": str(min(100, passes)), "API_ARGON2_MEMORY_KIB": str(MEMORY_KIB)}


def headers(api: Api) -> dict[str, str]:
    """The admin's credentials."""
    answer = httpx.post(f"{api.url}/api/v1/auth/login", json={"email": ADMIN, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.json()['accessToken']}"}


@pytest.mark.engines("sqlite", "postgresql")
def test_a_request_in_flight_is_finished(api: Api) -> None:
    """Its answer comes after SIGTERM, and what it wrote is there in the next life."""
    api.environment |= slow()
    api.start(*api.words)

    async def run() -> httpx.Response:
        async with httpx.AsyncClient(timeout=30) as client:
            sent = asyncio.create_task(client.post(f"{api.url}/api/v1/auth/register", json=NEW))
            await asyncio.sleep(0.5)
            assert not sent.done(), "it was to be slow"
            api.signal(signal.SIGTERM)
            return await sent

    assert asyncio.run(run()).status_code == 201, api.log()
    assert api.ended() == 0
    api.environment |= {"API_ARGON2_TIME_COST": "1"}
    api.start(*api.words)
    login = {"email": NEW["email"], "password": NEW["password"]}
    assert httpx.post(f"{api.url}/api/v1/auth/login", json=login, timeout=30).status_code == 200


@pytest.mark.engines("sqlite", "postgresql")
def test_no_acknowledged_write_is_lost(api: Api) -> None:
    """Writers go on while SIGTERM comes: each is answered or its connection ends, and every 201 is in the next life."""
    api.start(*api.words)
    credentials = headers(api)
    acknowledged: list[str] = []
    answers: set[int] = set()

    async def write(client: httpx.AsyncClient, writer: int) -> None:
        for place in range(100_000):
            name = f"Category {writer} {place}"
            try:
                answer = await client.post(f"{api.url}/api/v1/categories", json={"name": name}, headers=credentials)
            except httpx.TransportError:
                return
            answers.add(answer.status_code)
            if answer.status_code == 201:
                acknowledged.append(name)
            if len(acknowledged) == 60:
                api.signal(signal.SIGTERM)

    async def run() -> None:
        async with httpx.AsyncClient(timeout=30) as client:
            await asyncio.gather(*[write(client, writer) for writer in range(8)])

    asyncio.run(run())
    assert api.ended() == 0
    assert answers == {201}
    assert len(acknowledged) >= 60
    api.start(*api.words)
    kept = set()
    for page in range(1, 1 + -(-len(acknowledged) // 100) + 1):
        answer = httpx.get(f"{api.url}/api/v1/categories?limit=100&page={page}").json()
        kept |= {item["name"] for item in answer["items"]}
    assert set(acknowledged) - kept == set()


def test_an_idle_connection_does_not_hold_it_up(api: Api) -> None:
    """A client that keeps its connection open and says nothing is closed on."""
    api.start(*api.words)
    with httpx.Client() as client:
        assert client.get(f"{api.url}/health").status_code == 200
        api.signal(signal.SIGTERM)
        assert api.ended() == 0


@pytest.mark.engines("sqlite", "postgresql")
def test_a_stream_ends(api: Api) -> None:
    """An event stream that would go on for ever is finished in order, long before the grace is over."""
    api.start(*api.words)
    with httpx.stream("GET", f"{api.url}/api/v1/events", headers=headers(api), timeout=30) as stream:
        assert stream.status_code == 200, stream.read()
        pieces = stream.iter_raw()
        assert next(pieces).startswith(b":")
        begun = time.monotonic()
        api.signal(signal.SIGTERM)
        b"".join(pieces)  # a body that breaks off raises
    assert api.ended() == 0
    assert time.monotonic() - begun < GRACE_S


@pytest.mark.parametrize("queue", [None, 64])
def test_sinks_that_are_gone_do_not_hold_it_up(api: Api, queue: int | None) -> None:
    """A collector and an error sink that take a connection and say nothing, or take none, are not waited for."""
    with socket.socket() as sink:
        sink.bind(("127.0.0.1", 0))
        if queue is not None:
            sink.listen(queue)
        address = f"127.0.0.1:{sink.getsockname()[1]}"
        api.environment |= {
            "API_TRACES_URL": f"http://{address}/v1/traces",
            "API_SENTRY_DSN": f"http://public@{address}/1",
        }
        api.start(*api.words)
        assert httpx.get(f"{api.url}/api/v1/products").status_code == 200
        begun = time.monotonic()
        api.signal(signal.SIGTERM)
        assert api.ended() == 0
        assert time.monotonic() - begun < GRACE_S / 2, api.log()
