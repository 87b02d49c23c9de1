"""The feed: whatever commits, nudges and subscriptions meet in what order, each reader has each event once."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impl.data.database import Statement
from reference_impl.procedures.records import EVENT, emit
from reference_impl.realtime import feed as feeds
from reference_impl.realtime.announcing import Announcing
from reference_impl.realtime.feed import Feed, Record
from reference_impl.realtime.follower import Ended, Follower
from reference_impl.stores.memory.bus import MemoryBus
from tests.unit.reference_impl.event_table import NEVER_S, Table, feed_of, settle

if TYPE_CHECKING:
    from reference_impl.data.database import Body

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.sampled_from(["products", "orders"])),
        st.tuples(st.just("listen"), st.integers(-3, 12)),
        st.tuples(st.just("follow"), st.integers(-3, 12)),
        st.tuples(st.just("told"), st.sampled_from(["products", "orders"])),
        st.tuples(st.just("nudge"), st.just(0)),
        st.tuples(st.just("leave"), st.integers(0, 5)),
        st.tuples(st.just("turn"), st.integers(1, 5)),
    ),
    max_size=40,
)


@dataclass
class Reader:
    """What one reader asked for and has."""

    after: int
    left: bool = False
    got: list[int] = field(default_factory=list)
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


async def listen(feed: Feed, reader: Reader) -> None:
    """Be handed the events of products until the reader leaves."""

    def take(record: Record | None) -> None:
        if record is not None and not reader.left:
            reader.got.append(record.id)

    attachment = await feed.attach({"products"}, take, reader.after)
    await reader.leaving.wait()
    feed.detach(attachment)


async def follow(feed: Feed, reader: Reader) -> None:
    """Take the events of products until the reader leaves."""
    follower = Follower(feed, frozenset({"products"}), reader.after, 1000)
    try:
        while not reader.left:
            record = await follower.next(NEVER_S)
            if record is not None and not reader.left:
                reader.got.append(record.id)
    finally:
        follower.close()


async def play(program: list[tuple[str, Any]], turns: list[int]) -> None:
    """Run a program, then one last nudge: what every reader has is what it asked for."""
    table, bus = Table(itertools.cycle(turns)), MemoryBus()
    feed, readers = feed_of(table, bus), list[Reader]()
    for kind, told in program:
        if kind in {"commit", "told"}:
            table.commit(told)
            if kind == "told":
                await bus.publish(("alpha", feeds.NUDGE))
        elif kind in {"listen", "follow"}:
            reader = Reader(max(0, len(table.rows) if told < 0 else min(told, len(table.rows))))
            reader.task = asyncio.create_task((listen if kind == "listen" else follow)(feed, reader))
            readers.append(reader)
        elif kind == "nudge":
            await bus.publish(("alpha", feeds.NUDGE))
        elif kind == "leave" and told < len(readers):
            readers[told].left = True
            readers[told].leaving.set()
        else:
            for _ in range(told):
                await asyncio.sleep(0)
    await settle()
    await bus.publish(("alpha", feeds.NUDGE))
    await settle()
    expected = [row[0] for row in table.rows if row[2] == "products"]
    for reader in readers:
        wanted = [event for event in expected if event > reader.after]
        assert (reader.got == wanted[: len(reader.got)]) if reader.left else (reader.got == wanted)
    for task in [reader.task for reader in readers if reader.task]:
        task.cancel()
    await asyncio.gather(*[reader.task for reader in readers if reader.task], return_exceptions=True)
    feed.close()


@given(STEPS, st.lists(st.integers(0, 4), min_size=1, max_size=30), st.integers(1, 4))
@settings(max_examples=300, deadline=None)
def test_each_reader_has_each_event_once_and_in_order(
    program: list[tuple[str, Any]], turns: list[int], page: int
) -> None:
    """Commits, lost nudges, late and early readers in any order: no gap, no duplicate, no other channel's event."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feeds, "PAGE", page)
        asyncio.run(play(program, turns))


def test_a_poll_finds_what_no_nudge_told() -> None:
    """An event whose nudge was lost is read at the next poll."""

    async def run() -> list[int]:
        table, got = Table(iter(())), list[int]()
        feed = Feed("alpha", table, MemoryBus(), 0.01)  # type: ignore[arg-type]  # only the two reads are asked of it
        await feed.attach({"products"}, lambda record: got.append(record.id if record else 0), 0)
        table.commit("products")
        async with asyncio.timeout(10):
            while not got:  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.01)
        feed.close()
        return got

    assert asyncio.run(run()) == [1, 0]


def test_a_database_that_was_gone_is_read_again() -> None:
    """While the database does not answer nobody is ended; afterwards nothing is missing."""

    async def run() -> list[int]:
        table, bus, got = Table(iter(())), MemoryBus(), list[int]()
        feed = feed_of(table, bus)
        await feed.attach({"products"}, lambda record: got.append(record.id if record else 0), 0)
        table.commit("products")
        table.gone = True
        await bus.publish(("alpha", feeds.NUDGE))
        await settle()
        table.gone = False
        await bus.publish(("alpha", feeds.NUDGE))
        await settle()
        feed.close()
        return got

    assert asyncio.run(run()) == [1, 0]


def test_a_slow_reader_is_let_go_and_the_others_are_not() -> None:
    """Who lets more wait than may gets what waits and then the end; another reader misses nothing."""

    async def run() -> tuple[list[int], list[int]]:
        table, bus = Table(iter(())), MemoryBus()
        feed = feed_of(table, bus)
        slow, quick = (Follower(feed, frozenset({"products"}), 0, waiting) for waiting in (3, 1000))
        assert [await slow.next(0), await quick.next(0)] == [None, None]
        for _ in range(5):
            table.commit("products")
        await bus.publish(("alpha", feeds.NUDGE))
        await settle()
        taken = [record.id for _ in range(5) if (record := await quick.next(0))]
        kept = [record.id for _ in range(3) if (record := await slow.next(0))]
        with pytest.raises(Ended):
            await slow.next(0)
        feed.close()
        return kept, taken

    assert asyncio.run(run()) == ([1, 2, 3], [1, 2, 3, 4, 5])


def test_only_a_commit_with_an_event_is_announced() -> None:
    """A body that is run again, one that fails and one without an event are announced once, never and never."""

    class Twice:
        """Runs every body a second time, as after a serialization failure."""

        query = query_one = read = None

        async def transaction(self, body: Body[Any], *, locking: bool) -> Any:
            assert not locking
            for _ in range(2):
                running, rows = body(), None
                try:
                    while True:
                        rows = running.send(rows) and []  # type: ignore[arg-type]  # the first send is of None
                except StopIteration as end:
                    result = end.value
            return result

    said: list[str] = []

    async def announce() -> None:
        said.append("told")

    def fails() -> Any:
        yield from emit("products", "created")
        raise ValueError

    async def run() -> None:
        database = Announcing(Twice(), announce)  # type: ignore[arg-type]  # only transactions are asked of it
        await database.transaction(lambda: emit("products", "created"))
        await database.transaction(lambda: (yield Statement("SELECT 1")))
        with pytest.raises(ValueError, match=r"^$"):
            await database.transaction(fails)

    asyncio.run(run())
    assert said == ["told"]
    assert EVENT.startswith("INSERT INTO events")
