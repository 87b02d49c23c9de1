"""The bus, in this process and over Redis: who hears what, and who is told that something may be lost."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import pytest

from reference_impl.stores.bus import LOST, Subscription
from reference_impl.stores.memory.bus import MemoryBus
from reference_impl.stores.redis.bus import RedisBus
from reference_impl.stores.redis.server import Server
from tests.servers.redis import BINARY, MISSING, RedisServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from reference_impl.stores.bus import Bus, Key

ONE: Key = ("alpha", "events")
OTHERS: list[Key] = [("beta", "events"), ("alpha", "events:1"), ("alpha", "*")]
WAIT_S = 10.0


class Kept:
    """A kind of bus: two workers' sides of it, on one loop."""

    def __init__(self, runner: asyncio.Runner, server: Server | None) -> None:
        self.runner = runner
        self._server = server

    def fresh(self) -> list[Bus]:
        """Return the two sides of a bus that nobody listens to; the one in memory has one side."""
        return [MemoryBus()] * 2 if self._server is None else [RedisBus(self._server), RedisBus(self._server)]


async def ended(buses: list[Bus]) -> None:
    """Close what has to be closed."""
    for bus in buses:
        if isinstance(bus, RedisBus):
            await bus.close()


@pytest.fixture(scope="module", params=["memory", pytest.param("redis", marks=pytest.mark.slow)])
def kept(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Kept:
    """Buses in memory, and over Redis."""
    return Kept(runner, None if request.param == "memory" else request.getfixturevalue("open_server")())


async def next_of(subscription: Subscription) -> bytes:
    """Return the next message that tells something."""
    while not (message := await subscription.wait(WAIT_S)):
        assert message is not None, "nothing came"
    return message


@pytest.mark.parametrize("side", [0, 1])
def test_messages_come_in_order_to_every_worker(kept: Kept, side: int) -> None:
    """Each subscriber of the channel, on whichever worker, gets each message once and in order."""

    async def run() -> list[list[bytes]]:
        buses = kept.fresh()
        async with buses[0].subscribe(ONE) as first, buses[1].subscribe(ONE) as second:
            for place in range(20):
                await buses[side].publish(ONE, b"%d" % place)
            heard = [[await next_of(one) for _ in range(20)] for one in (first, second)]
            assert [await one.wait(0.0) for one in (first, second)] == [None, None]
        await ended(buses)
        return heard

    assert kept.runner.run(run()) == [[b"%d" % place for place in range(20)]] * 2


def test_nothing_crosses_to_another_channel(kept: Kept) -> None:
    """Tenant and name tell channels apart, whatever their spelling."""

    async def run() -> bytes:
        buses = kept.fresh()
        async with buses[0].subscribe(ONE) as subscription:
            for other in OTHERS:
                await buses[1].publish(other, b"not mine")
            await buses[1].publish(ONE, b"mine")
            heard = await next_of(subscription)
        await ended(buses)
        return heard

    assert kept.runner.run(run()) == b"mine"


def test_a_slow_subscriber_is_told_that_it_lost_some() -> None:
    """It holds a bounded number of messages; instead of more it gets LOST, and what comes after."""

    async def run() -> list[bytes | None]:
        subscription = Subscription()
        for place in range(1001):
            subscription.deliver(b"%d" % place)
        subscription.deliver(b"last")
        return [await subscription.wait(0.0) for _ in range(3)]

    assert asyncio.run(run()) == [LOST, b"last", None]


def test_a_subscription_is_an_iterator_too() -> None:
    """`async for` gives the messages as they come."""

    async def heard(bus: MemoryBus) -> AsyncIterator[bytes]:
        async with bus.subscribe(ONE) as subscription:
            asyncio.get_running_loop().call_soon(bus.deliver, ONE, b"later")
            async for message in subscription:
                yield message

    async def run() -> bytes:
        async for message in heard(MemoryBus()):
            return message
        raise AssertionError

    assert asyncio.run(run()) == b"later"


@pytest.fixture
def own_redis(tmp_path: Path) -> Callable[[], RedisServer]:
    """Makes Redis servers that a test may kill."""
    if BINARY is None:
        pytest.skip(MISSING)
    return lambda: RedisServer(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["kill", "pause"])
def test_after_an_interruption_everyone_is_nudged(own_redis: Callable[[], RedisServer], how: str) -> None:
    """While Redis is gone a worker still hears itself; when it is back all hear LOST, and each other again."""
    redis = own_redis()
    redis.start()

    async def run() -> None:
        servers = [Server(redis.url, uuid.uuid4().hex, timeout_s=0.2)] * 2
        buses = [RedisBus(server, quiet_s=0.2) for server in servers]
        async with buses[0].subscribe(ONE) as first, buses[1].subscribe(ONE) as second:
            assert [await one.wait(WAIT_S) for one in (first, second)] == [LOST, LOST]
            getattr(redis, how)()
            await buses[0].publish(ONE, b"alone")
            assert await first.wait(WAIT_S) == b"alone"
            await asyncio.sleep(1.0)
            if how == "kill":
                redis.start()
            else:
                redis.resume()
            heard = [await second.wait(WAIT_S)]
            while heard[-1] != LOST:  # a paused Redis may still pass on what it had taken
                heard.append(await second.wait(WAIT_S))
            assert await first.wait(WAIT_S) == LOST
            await buses[0].publish(ONE, b"together")
            assert await next_of(second) == b"together"
        for bus in buses:
            await bus.close()
        await servers[0].close()

    try:
        asyncio.run(run())
    finally:
        redis.stop()
