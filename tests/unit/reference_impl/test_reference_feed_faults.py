"""The feed when something goes wrong: it is told, nobody else is hurt, and nothing is missed unknowingly."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from reference_impl.realtime import feed as feeds
from reference_impl.realtime.feed import Feed, Forgotten, Record
from reference_impl.realtime.follower import Ended, Follower
from reference_impl.stores.memory.bus import MemoryBus
from tests.unit.reference_impl.event_table import Table, feed_of, settle


def test_a_reading_that_fails_is_told_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is raised, the reader goes on, later and later, and nothing is missing; the log has each failure."""

    async def run() -> list[int]:
        table, bus, got = Table(iter(())), MemoryBus(), list[int]()
        feed = Feed("alpha", table, bus, 0.001)  # type: ignore[arg-type]  # only the two reads are asked of it
        whole, fails = feed.read, 3

        async def read() -> None:
            nonlocal fails
            fails -= 1
            if fails >= 0:
                raise RuntimeError("a fault")
            await whole()

        feed.read = read  # type: ignore[method-assign]  # a fault is planted
        await feed.attach({"products"}, lambda record: got.append(record.id if record else 0), 0)
        table.commit("products")
        async with asyncio.timeout(10):
            while not got:  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.001)
        feed.close()
        return got

    assert asyncio.run(run()) == [1, 0]
    assert [line.message for line in caplog.records] == [
        f"Reading the events of alpha failed; it is tried again in {pause_s} s."
        for pause_s in ("0.001", "0.002", "0.004")
    ]


def test_a_listener_that_fails_keeps_nothing_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """The others have every event, and it has the next; a row that another hand wrote is told without data."""

    async def run() -> tuple[list[int], list[Record]]:
        table, bus, bad, good = Table(iter(())), MemoryBus(), list[int](), list[Record]()
        feed = feed_of(table, bus)

        def fails(record: Record | None) -> None:
            assert record is None or record.id > 1
            bad.append(record.id if record else 0)

        await feed.attach({"products"}, fails, 0)
        await feed.attach({"products"}, lambda record: good.append(record) if record else None, 0)
        for _ in range(2):
            table.commit("products")
        table.rows[1] = (*table.rows[1][:4], "no JSON")
        await bus.publish(("alpha", feeds.NUDGE))
        await settle()
        feed.close()
        return bad, good

    bad, good = asyncio.run(run())
    assert (bad, [(record.id, record.data) for record in good]) == ([2, 0], [(1, {}), (2, {})])
    assert [line.message for line in caplog.records] == [
        "The data of an event cannot be read; it is told without.",
        "A listener failed at the event 1.",
    ]


@pytest.mark.parametrize("turns", range(12))
def test_who_comes_while_the_server_ends_is_told(turns: int) -> None:
    """Whenever the end falls into an attachment: the listener is told of it once, last, and no reader is left."""

    async def run() -> list[int]:
        table, got = Table(itertools.repeat(1)), list[int]()
        for _ in range(3):
            table.commit("products")
        feed = feed_of(table, MemoryBus())
        listening = feed.attach({"products"}, lambda record: got.append(record.id if record else 0), 0)
        attaching = asyncio.create_task(listening)
        for _ in range(turns):
            await asyncio.sleep(0)
        feed.close()
        await attaching
        await settle()
        assert len(asyncio.all_tasks()) == 1
        return got

    got = asyncio.run(run())
    assert (got.count(0), got[-1]) == (1, 0)


def test_what_is_no_longer_kept_is_missed_by_nobody_unknowingly() -> None:
    """Who asks for what followed an id before the last that went is told; who asks from there on has all."""

    async def run() -> tuple[bool, list[int], list[int]]:
        table, bus, got = Table(iter(())), MemoryBus(), list[int]()
        feed = feed_of(table, bus)
        for _ in range(3):
            table.commit("products")
        table.through = 2
        with pytest.raises(Forgotten):
            await Follower(feed, frozenset({"products"}), 1, 1000).next(0)
        follower = Follower(feed, frozenset({"products"}), 2, 1000)
        kept = [record.id for _ in range(2) if (record := await follower.next(0))]
        await feed.attach({"products"}, lambda record: got.append(record.id if record else 0), 3)
        for _ in range(3):
            table.commit("products")
        table.through = 5  # the reader was away for longer than events are kept
        await bus.publish(("alpha", feeds.NUDGE))
        await settle()
        with pytest.raises(Ended):
            await follower.next(0)
        return feed._reader is None, kept, got

    assert asyncio.run(run()) == (True, [3], [0])
