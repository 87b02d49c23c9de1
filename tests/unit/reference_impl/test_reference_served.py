"""What all requests share works for none of them, and nothing that outlives a request keeps what was known of it."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextlib import asynccontextmanager
from contextvars import Context, copy_context
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from reference_impl.edge.exchange import Exchange, serve, served
from reference_impl.realtime.feed import Feed
from reference_impl.realtime.hub import Hub
from reference_impl.stores.memory.bus import MemoryBus
from reference_impl.stores.redis.bus import RedisBus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Told = list[tuple[str, str]]


def exchange_of(request_id: str) -> Exchange:
    """A request as it comes."""
    return Exchange(request_id, "GET", {}, "", secure=False, started_s=0.0)


def asking() -> str:
    """The id of the request that is worked for, or nothing."""
    exchange = served()
    return exchange.request_id if exchange else ""


async def listening(told: Told, reached: asyncio.Event) -> Callable[[], Awaitable[None]]:
    """The first stream of a tenant: the newest id is asked for by its request, pages by the reader that all share."""

    class Table:
        async def query_one(self, _: str) -> tuple[int]:
            told.append(("own", asking()))
            return (0,)

        async def query(self, *_: object) -> list[Any]:
            told.append(("shared", asking()))
            reached.set()
            return []

    feed = Feed("alpha", Table(), MemoryBus(), 3600.0)  # type: ignore[arg-type]  # only the two reads are asked of it
    await feed.hold({"products"}, lambda _: None)

    async def close() -> None:
        feed.close()

    return close


async def entering(told: Told, reached: asyncio.Event) -> Callable[[], Awaitable[None]]:
    """The first socket of a tenant: the worker is registered by its request, and renewed for all."""

    class Rooms:
        async def register(self) -> None:
            told.append(("own", asking()))

        async def bury(self) -> None:
            pass

        async def renew(self) -> bool:
            told.append(("shared", asking()))
            reached.set()
            await asyncio.sleep(3600)
            return True

    feeds = SimpleNamespace(announcing=lambda _, database: database, of=lambda *_: None)
    services = SimpleNamespace(feeds=feeds, settings=SimpleNamespace(realtime=SimpleNamespace(heartbeat_s=0.0)))
    hub = Hub("alpha", None, services, "worker")  # type: ignore[arg-type]  # its rooms are put in below
    hub.rooms = Rooms()  # type: ignore[assignment]  # the three that are asked of it
    await hub.enter(object())  # type: ignore[arg-type]  # a line that is not ended here

    async def close() -> None:
        hub.close()

    return close


async def subscribing(told: Told, reached: asyncio.Event) -> Callable[[], Awaitable[None]]:
    """The first subscriber of a process: what listens to Redis listens for all."""

    @asynccontextmanager
    async def pubsub() -> AsyncIterator[None]:
        told.append(("shared", asking()))
        reached.set()
        await asyncio.sleep(3600)
        yield

    bus = RedisBus(SimpleNamespace(client=SimpleNamespace(pubsub=pubsub)), quiet_s=0.0)  # type: ignore[arg-type]  # no more is asked of it
    told.append(("own", asking()))
    async with bus.subscribe(("alpha", "events")):
        pass
    return bus.close


@pytest.mark.parametrize("begin", [listening, entering, subscribing])
def test_what_all_share_works_for_nobodys_request(begin: Callable[..., Any]) -> None:
    """The request that comes first begins it, and is told as its own what it did itself alone."""

    async def run() -> Told:
        told: Told = []
        reached, first = asyncio.Event(), exchange_of("first")
        serve(first)
        close = await begin(told, reached)
        async with asyncio.timeout(10):
            await reached.wait()
        await close()
        return told

    assert asyncio.run(run()) == [("own", "first"), ("shared", "")]


def test_a_context_that_goes_on_keeps_no_request() -> None:
    """A connection or a timer opened while it was worked on: the request is let go of, and nobody's is told then."""

    def opened() -> tuple[Context, weakref.ref[Exchange]]:
        exchange = exchange_of("over")
        serve(exchange)
        assert served() is exchange
        return copy_context(), weakref.ref(exchange)

    kept, exchange = Context().run(opened)
    gc.collect()
    assert exchange() is None
    assert kept.run(served) is None
