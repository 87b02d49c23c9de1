"""The caches, in memory and in Redis, against a model that forgets nothing but what it is told to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impl.stores.memory.cache import MemoryCache
from reference_impl.stores.memory.lru import Lru
from reference_impl.stores.redis.cache import RedisCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.stores.cache import Cache, Key
    from reference_impl.stores.redis.server import Server

LONG_S = 100.0
KEYS = [("a", "x", "1"), ("a", "x", "2"), ("a", "y", "1"), ("b", "x", "1")]
COUNTERS = [("a", "x", "count"), ("b", "x", "count")]


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        """Return the time it was set to."""
        return self.now_s


async def emptied(server: Server) -> None:
    """Empty a Redis, as one that is used for the first time in its present run."""
    epoch = await server.call("GET", server.epoch)
    await server.call("FLUSHALL")
    await server.call("SET", server.epoch, epoch or "run")


class Kept:
    """A kind of cache: several workers' sides of one store, on one loop."""

    def __init__(self, runner: asyncio.Runner, server: Server | None) -> None:
        self.runner = runner
        self._server = server

    def fresh(self) -> list[Cache]:
        """Return the two sides of a cache that holds nothing; the one in memory has one side."""
        if self._server is None:
            return [MemoryCache()] * 2
        self.runner.run(emptied(self._server))
        return [RedisCache(self._server, mark_s=60), RedisCache(self._server, mark_s=60)]


@pytest.fixture(scope="module", params=["memory", pytest.param("redis", marks=pytest.mark.slow)])
def kept(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Kept:
    """Caches in memory, and in Redis."""
    return Kept(runner, None if request.param == "memory" else request.getfixturevalue("open_server")())


async def made() -> bytes:
    """Make a value."""
    return b"made"


WORDS = st.sampled_from(["get", "set", "make", "delete", "delete_prefix", "change", "incr", "expire"])
STEPS = st.lists(st.tuples(st.integers(0, 1), WORDS, st.integers(0, len(KEYS) - 1), st.binary(max_size=3)), max_size=25)


class Model:
    """What a cache that is never full and never too old holds."""

    def __init__(self) -> None:
        self.held: dict[Key, bytes] = {}

    def forget(self, family: Key) -> None:
        """Forget a family."""
        self.held = {key: value for key, value in self.held.items() if key[:2] != family}


async def step(cache: Cache, model: Model, word: str, place: int, value: bytes) -> None:
    """Do one thing to the cache and to the model, and compare what they say."""
    key = KEYS[place]
    match word:
        case "get":
            assert await cache.get(key) == model.held.get(key)
        case "set":
            await cache.set(key, value, LONG_S)
            model.held[key] = value
        case "make":
            assert await cache.get_or_set(key, LONG_S, made) == model.held.setdefault(key, b"made")
        case "delete":
            await cache.delete(key)
            model.held.pop(key, None)
        case "delete_prefix":
            await cache.delete_prefix(key)
            model.forget(key[:2])
        case "change":
            async with cache.changing(key[:2], ("a", "x")):
                pass
            model.forget(key[:2])
            model.forget(("a", "x"))
        case "incr":
            counter = COUNTERS[place % len(COUNTERS)]
            model.held[counter] = b"%d" % (int(model.held.get(counter, b"0")) + len(value))
            assert await cache.incr(counter, LONG_S, len(value)) == int(model.held[counter])
            assert await cache.get(counter) == model.held[counter]
        case _:
            assert await cache.expire(key, LONG_S) == (key in model.held)


@settings(deadline=None)
@given(STEPS)
def test_any_worker_sees_what_the_model_holds(kept: Kept, steps: list[tuple[int, str, int, bytes]]) -> None:
    """For any schedule over two workers, each sees at once what either did."""
    caches, model = kept.fresh(), Model()

    async def run() -> None:
        for side, word, place, value in steps:
            await step(caches[side], model, word, place, value)

    kept.runner.run(run())


def test_one_makes_for_all(kept: Kept) -> None:
    """However many ask one worker at once, the value is made once (no stampede)."""
    cache = kept.fresh()[0]
    calls = []

    async def slow() -> bytes:
        calls.append(1)
        await asyncio.sleep(0.02)
        return b"value"

    async def ask() -> list[bytes]:
        return await asyncio.gather(*[cache.get_or_set(KEYS[0], LONG_S, slow) for _ in range(50)])

    assert kept.runner.run(ask()) == [b"value"] * 50
    assert len(calls) == 1


def test_a_failure_is_everyones_and_kept_by_nobody(kept: Kept) -> None:
    """Those who waited get the error; the next one makes anew."""
    cache = kept.fresh()[0]

    async def fails() -> bytes:
        await asyncio.sleep(0)
        raise LookupError

    async def ask() -> list[object]:
        return await asyncio.gather(
            *[cache.get_or_set(KEYS[0], LONG_S, fails) for _ in range(3)], return_exceptions=True
        )

    assert [type(answer) for answer in kept.runner.run(ask())] == [LookupError] * 3
    assert kept.runner.run(cache.get_or_set(KEYS[0], LONG_S, made)) == b"made"


@pytest.mark.parametrize("word", ["change", "delete", "delete_prefix", "set"])
@pytest.mark.parametrize("side", [0, 1])
def test_old_rows_are_not_stored_as_new(kept: Kept, word: str, side: int) -> None:
    """A value whose making began before a change ended is not kept, and nobody who asks later is handed it."""
    caches = kept.fresh()
    rows = [b"old"]
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> bytes:
        seen = rows[0]
        begun.set()
        await go_on.wait()
        return seen

    async def now() -> bytes:
        return rows[0]

    async def run() -> list[bytes]:
        before = asyncio.create_task(caches[0].get_or_set(KEYS[0], LONG_S, slow))
        await begun.wait()
        rows[0] = b"new"
        await step(caches[side], Model(), word, 0, b"new")
        after = [await cache.get_or_set(KEYS[0], LONG_S, now) for cache in caches]
        go_on.set()
        assert await before == b"old"
        return [*after, *[await cache.get_or_set(KEYS[0], LONG_S, now) for cache in caches]]

    assert kept.runner.run(run()) == [b"new"] * 4


def test_a_failing_change_forgets_too(kept: Kept) -> None:
    """What became of a change that raised is not known, so nothing of before is shown."""
    cache = kept.fresh()[0]

    async def run() -> bytes | None:
        await cache.set(KEYS[0], b"old", LONG_S)
        with pytest.raises(LookupError):
            async with cache.changing(KEYS[0][:2]):
                raise LookupError
        return await cache.get(KEYS[0])

    assert kept.runner.run(run()) is None


def test_a_key_begins_with_tenant_and_family(kept: Kept) -> None:
    """A key that could cross tenants is refused."""
    with pytest.raises(ValueError, match="tenant and family"):
        kept.runner.run(kept.fresh()[0].delete(("a",)))


def test_reading_renews_no_age() -> None:
    """An entry that is read all the time is gone when its age is over (S08a)."""
    clock = HandClock()
    cache = MemoryCache(clock=clock)

    async def run() -> list[bytes | None]:
        await cache.set(KEYS[0], b"value", 3.0)
        found = []
        for _ in range(4):
            found.append(await cache.get(KEYS[0]))
            clock.now_s += 1.0
        return found

    assert asyncio.run(run()) == [b"value"] * 3 + [None]


def test_the_age_begins_before_the_value_is_made() -> None:
    """What took 2 s to make is 2 s old."""
    clock = HandClock()
    cache = MemoryCache(clock=clock)

    async def slow() -> bytes:
        clock.now_s += 2.0
        return b"value"

    async def run() -> list[bytes | None]:
        await cache.get_or_set(KEYS[0], 3.0, slow)
        clock.now_s += 0.9
        early = await cache.get(KEYS[0])
        clock.now_s += 0.1
        return [early, await cache.get(KEYS[0])]

    assert asyncio.run(run()) == [b"value", None]


def test_the_map_in_this_process_is_bounded() -> None:
    """The least recently used goes first, and none lives longer than the map allows."""
    clock = HandClock()
    lru: Lru[int] = Lru(2, 5.0, clock)
    for place in range(3):
        lru.put(("a", "x", str(place)), place, 100.0)
        lru.get(("a", "x", "0"))
    assert [lru.get(("a", "x", str(place))) for place in range(3)] == [0, None, 2]
    clock.now_s += 5.0
    assert lru.get(("a", "x", "0")) is None
    assert len(lru) == 1


@pytest.mark.slow
def test_what_is_near_lives_no_longer_than_in_redis(runner: asyncio.Runner, open_server: Callable[[], Server]) -> None:
    """A worker's own copy ends with the entry: it is served only on Redis's word (S07, S08b)."""
    server = open_server()
    caches = [RedisCache(server, mark_s=60), RedisCache(server, mark_s=60)]

    async def run() -> None:
        await caches[0].set(KEYS[0], b"value", LONG_S)
        assert [await cache.get(KEYS[0]) for cache in caches * 2] == [b"value"] * 4
        (entry,) = await server.call("KEYS", server.name("cache:entry", KEYS[0]))
        assert (LONG_S - 10) * 1000 < await server.call("PTTL", entry) <= LONG_S * 1000
        await server.call("DEL", entry)
        assert [await cache.get(KEYS[0]) for cache in caches] == [None, None]

    runner.run(run())


@pytest.mark.slow
def test_a_redis_that_forgot_its_changes_is_not_believed(
    runner: asyncio.Runner, open_server: Callable[..., Server]
) -> None:
    """A server that was started anew counts as another: nothing cached in its earlier run is served."""
    server = open_server()
    cache = RedisCache(server, mark_s=60)

    async def run() -> None:
        await cache.set(KEYS[0], b"value", LONG_S)
        await server.call("SET", server.epoch, "the run before")
        assert await cache.get(KEYS[0]) is None
        await open_server(server.prefix).call("PING")
        assert await cache.get(KEYS[0]) == b"value"

    runner.run(run())
