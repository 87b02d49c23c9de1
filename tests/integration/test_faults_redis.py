"""Redis killed, paused and started again under load: slower, or 503 with Retry-After; never wrong; recovers alone."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.servers.api import ADMIN, PASSWORD, Api

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from tests.servers.redis import RedisServer

QUOTA = 3
WINDOW_S = 2.0
REDIS_TIMEOUT_S = 0.5
# Beside the bound on Redis: what a request may wait for this machine.
SLACK_S = 5.0
PHASE_S = 2.5
RECOVERY_S = 20.0


@pytest.fixture
def api(tmp_path: Path, redis: RedisServer) -> Iterator[Api]:
    """Two workers over that Redis, with a small quota on reading one thing."""
    installed = Api(
        tmp_path,
        API_REDIS_URL=redis.url,
        API_REDIS_TIMEOUT_S=str(REDIS_TIMEOUT_S),
        API_QUOTA_GET=str(QUOTA),
        API_PROCEDURE_WINDOW_S=str(WINDOW_S),
    )
    installed.set_up("alpha")
    installed.start("--workers", "2")
    yield installed
    installed.stop()


@dataclass
class Load:
    """What a few clients saw; each request has a connection of its own, so both workers are asked."""

    client: httpx.AsyncClient
    going: bool = True
    answers: list[tuple[float, float, int]] = field(default_factory=list)
    """When it was sent, when it was answered, its status."""
    lists: list[str] = field(default_factory=list)
    """Categories whose creation was answered with 201, while lists were asked for."""

    async def send(self, method: str, path: str, **options: object) -> httpx.Response:
        """Send one request and hold its answer against what all answers promise."""
        sent = time.monotonic()
        answer = await self.client.request(method, f"/api/v1{path}", **options)  # type: ignore[arg-type]  # passed on
        taken = time.monotonic() - sent
        assert taken < 3 * REDIS_TIMEOUT_S + SLACK_S, (taken, answer.status_code)
        if answer.status_code == 503:
            assert answer.json()["error"]["code"] == "UNAVAILABLE"
            assert answer.json()["error"]["retryable"]
            assert int(answer.headers["retry-after"]) >= 1
        return answer

    async def read(self) -> None:
        """Ask for one thing, over and over."""
        while self.going:
            sent = time.monotonic()
            answer = await self.send("GET", "/categories/none")
            assert answer.status_code in {404, 429, 503}, answer.text
            self.answers.append((sent, time.monotonic(), answer.status_code))

    async def write(self, headers: dict[str, str]) -> None:
        """Make a thing, and look for it in the list that any worker gives."""
        place = 0
        while self.going:
            place += 1
            name = f"Category {place}"
            made = await self.send("POST", "/categories", json={"name": name}, headers=headers)
            assert made.status_code in {201, 503}, made.text
            listed = await self.send("GET", "/categories?limit=5", headers=headers)
            assert listed.status_code in {200, 503}, listed.text
            if made.status_code == 201 and listed.status_code == 200:
                assert listed.json()["items"][0]["name"] == name
                self.lists.append(name)

    def since(self, start: float) -> set[int]:
        """The statuses of the reads sent since then."""
        return {status for sent, _, status in self.answers if sent >= start}


def overshoot(answers: list[tuple[float, float, int]]) -> int:
    """By how many the admissions that certainly fell in one window passed the quota."""
    admitted = [(sent, done) for sent, done, status in answers if status == 404]
    most = 0
    for start, _ in admitted:
        within = sum(1 for sent, done in admitted if sent >= start and done < start + WINDOW_S)
        most = max(most, within - QUOTA)
    return most


def asking(api: Api) -> httpx.AsyncClient:
    """A client that opens a connection for each request."""
    timeout_s = 3 * REDIS_TIMEOUT_S + 2 * SLACK_S
    return httpx.AsyncClient(base_url=api.url, headers={"Connection": "close"}, timeout=timeout_s)


async def until_limited(load: Load) -> None:
    """Wait until reads are admitted and refused, and things are made, as they should be."""
    start, lists = time.monotonic(), len(load.lists)
    while not {404, 429} <= load.since(start) or len(load.lists) == lists:
        assert time.monotonic() < start + RECOVERY_S, load.since(start)
        await asyncio.sleep(0.05)


async def kill(redis: RedisServer) -> None:
    """Gone, and back with what it had written."""
    redis.kill()
    await asyncio.sleep(PHASE_S)
    await asyncio.to_thread(redis.start)


async def restart(redis: RedisServer) -> None:
    """Gone and back at once."""
    redis.kill()
    await asyncio.to_thread(redis.start)


async def restart_in_order(redis: RedisServer) -> None:
    """Ended by SIGTERM, twice, and back each time."""
    await asyncio.to_thread(redis.restart)
    await asyncio.to_thread(redis.restart)


async def pause(redis: RedisServer) -> None:
    """There, and silent."""
    redis.pause()
    await asyncio.sleep(PHASE_S)
    redis.resume()


@pytest.mark.parametrize("fault", [kill, restart, restart_in_order, pause])
def test_limits_and_lists_hold_through_a_fault(
    api: Api, redis: RedisServer, fault: Callable[[RedisServer], Awaitable[None]]
) -> None:
    """Over two workers no window admits more than its quota, no list is older than an answered write."""
    login = httpx.post(f"{api.url}/api/v1/auth/login", json={"email": ADMIN, "password": PASSWORD}, timeout=30)
    headers = {"Authorization": f"Bearer {login.json()['accessToken']}"}

    async def run() -> tuple[Load, float]:
        async with asking(api) as client, asyncio.TaskGroup() as clients:
            load = Load(client)
            for _ in range(4):
                clients.create_task(load.read())
            clients.create_task(load.write(headers))
            await until_limited(load)
            struck = time.monotonic()
            await fault(redis)
            await until_limited(load)
            load.going = False
        return load, struck

    load, struck = asyncio.run(run())
    assert overshoot(load.answers) == 0
    if fault in (kill, pause):
        assert 503 in load.since(struck)
    assert "Traceback" not in api.log()


def test_without_redis_nothing_is_let_pass_uncounted(api: Api, redis: RedisServer) -> None:
    """Each request is refused in time; health and the document, which count nothing, are served."""
    redis.kill()

    async def run() -> None:
        async with asking(api) as client:
            answers = await asyncio.gather(*[Load(client).send("GET", "/categories/none") for _ in range(20)])
        assert {answer.status_code for answer in answers} == {503}

    asyncio.run(run())
    assert httpx.get(f"{api.url}/openapi.json", timeout=30).status_code == 200
    redis.start()
