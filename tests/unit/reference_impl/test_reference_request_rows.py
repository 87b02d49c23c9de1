"""The stored log never holds anything up, not even the end; each row is stored or counted, and none is neither."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Literal

from hypothesis import given
from hypothesis import strategies as st

from reference_impl.data.database import DatabaseError
from reference_impl.observation import request_rows
from reference_impl.observation.request_rows import RequestRows

if TYPE_CHECKING:
    import pytest

    from reference_impl.edge.exchange import Exchange

Manner = Literal["stores", "unavailable", "timeout", "check"]
COLUMNS = 8
LONG_S = 10.0


class Keeper:
    """A tenant's database that stores rows in its manner, and can be held up in the midst of it."""

    def __init__(self, manner: Manner = "stores") -> None:
        self.manner = manner
        self.stored = self.asked = 0
        self.begun, self.free = asyncio.Event(), asyncio.Event()
        self.free.set()

    async def run(self, _sql: str, *parameters: object) -> list[Any]:
        """Store a batch, or refuse it."""
        self.asked += 1
        self.begun.set()
        await self.free.wait()
        if self.manner != "stores":
            raise DatabaseError(self.manner, "as it was told")
        self.stored += len(parameters) // COLUMNS
        return []


def over(keeper: Keeper) -> Exchange:
    """A request that is over."""

    class One:
        database = keeper
        request_id = user_id = method = route = ""
        status = 200
        duration_ms = staticmethod(lambda: 1.0)

    return One()  # type: ignore[return-value]  # all that a line is made of


@given(st.lists(st.tuples(st.sampled_from(["stores", "unavailable", "timeout", "check"]), st.integers(0, 300))))
def test_a_silent_database_is_asked_once_and_costs_no_other_a_row(tenants: list[tuple[Manner, int]]) -> None:
    """Of one that does not answer all rows are counted after one wait; what answers is asked for all."""

    async def run() -> None:
        dropped: list[int] = []
        rows = RequestRows(dropped.append)
        keepers = [(Keeper(manner), count) for manner, count in tenants]
        for keeper, count in keepers:
            for _ in range(count):
                rows.add(over(keeper))
        await rows.flush()
        for keeper, count in keepers:
            assert keeper.stored == (count if keeper.manner == "stores" else 0)
            if keeper.manner in {"unavailable", "timeout"}:
                assert keeper.asked == min(count, 1)
        assert sum(dropped) == sum(count for keeper, count in keepers if keeper.manner != "stores")

    asyncio.run(run())


def test_what_comes_while_the_last_batch_is_stored_is_stored_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end meets a batch on its way; a request that ends then has its row."""
    monkeypatch.setattr(request_rows, "_EVERY_S", 0)

    async def run() -> tuple[int, list[int]]:
        dropped: list[int] = []
        rows, keeper = RequestRows(dropped.append), Keeper()
        keeper.free.clear()

        async def late() -> None:
            rows.add(over(keeper))
            keeper.free.set()

        async with rows.running():
            rows.add(over(keeper))
            await keeper.begun.wait()
            ended = asyncio.create_task(late())  # runs when the block is over
        await ended
        return keeper.stored, dropped

    assert asyncio.run(run()) == (2, [])


def test_the_end_waits_for_a_silent_database_no_longer_than_its_bound(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every row is counted once and told on standard error; what comes later is counted, and nobody is asked again."""
    monkeypatch.setattr(request_rows, "_EVERY_S", 0)
    monkeypatch.setattr(request_rows, "_LAST_S", 0.05)

    async def run() -> tuple[list[int], int, int]:
        dropped: list[int] = []
        rows, keeper = RequestRows(dropped.append), Keeper()
        keeper.free.clear()
        async with asyncio.timeout(LONG_S), rows.running():
            for _ in range(120):
                rows.add(over(keeper))
            await keeper.begun.wait()
            rows.add(over(keeper))
        told = list(dropped)
        rows.add(over(keeper))
        keeper.free.set()  # the connection ends, or it was stored after all
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
        return told, sum(dropped), keeper.asked

    assert asyncio.run(run()) == ([121], 122, 1)
    (line,) = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert (line["level"], line["rows"]) == ("warning", 121)
