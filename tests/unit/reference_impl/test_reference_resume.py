"""Where a stream goes on from: whoever comes again misses nothing, and is told where that cannot be."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

from reference_impl.clock import rfc3339
from reference_impl.upkeep import let_go_of_events
from tests.unit.reference_impl.event_streams import database_of, leave, read, wait

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.unit.reference_impl.conftest import Shop


def test_a_reader_goes_on_after_the_last_id(shop: Shop) -> None:
    """Last-Event-ID gives what followed it, once each; an id never given out is taken for the newest."""
    seller, user = shop.account("seller"), shop.account()
    first = read(shop, "/events", user)
    made = [shop.product(seller)["id"] for _ in range(3)]
    wait(shop, first, 3)
    leave(shop, first)
    made += [shop.product(seller)["id"] for _ in range(2)]
    again = read(shop, "/events", user, last_event_id=str(first.events[0][0]))
    made.append(shop.product(seller)["id"])
    assert [about for _, about in wait(shop, again, 5)] == made[1:]
    future = read(shop, "/events", user, last_event_id="999999999999")
    last = ("products.created", shop.product(seller)["id"])
    assert wait(shop, future, 1) == [last]
    assert wait(shop, again, 6)[-1] == last
    leave(shop, again, future)
    assert shop.send("GET", "/events", user, headers={"Last-Event-ID": "x"}).status_code == 400


def test_who_has_seen_no_event_loses_none(shop: Shop) -> None:
    """A stream begins with an id, so what happens between a lost connection and the next is told to that one."""
    seller, user = shop.account("seller"), shop.account()
    shop.product(seller)
    first = read(shop, "/events", user)
    assert (first.events, [*first.frames[1]]) == ([], ["id"])
    leave(shop, first)
    made = [shop.product(seller)["id"] for _ in range(3)]
    again = read(shop, "/events", user, last_event_id=str(first.position))
    assert [about for _, about in wait(shop, again, 3)] == made
    leave(shop, again)


def test_the_id_to_go_on_from_grows_while_nothing_is_told(
    open_shop: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is shown nothing of what happens has by each heartbeat an id that is after it."""
    shop = open_shop(heartbeat_s=600.0)
    seller, now_s = shop.account("seller"), time.monotonic()
    monkeypatch.setattr("reference_impl.realtime.standing.time", SimpleNamespace(monotonic=lambda: now_s))
    reader = read(shop, "/events?channel=orders", shop.account())
    began = reader.position
    shop.product(seller)
    now_s += 600
    shop.order(shop.account(), (shop.product(seller)["id"], 1))
    shop.runner.run(reader.until(lambda: reader.position > began))
    assert reader.events == []
    leave(shop, reader)


def test_who_comes_too_late_is_told_so(shop: Shop) -> None:
    """What is no longer kept cannot be told whole: `reset`, then what follows; not to who saw the last that went."""
    seller, user = shop.account("seller"), shop.account()
    first = read(shop, "/events", user)
    for _ in range(3):
        shop.product(seller)
    wait(shop, first, 3)
    ids = [number for number, _, _ in first.events]
    leave(shop, first)
    assert shop.runner.run(let_go_of_events(database_of(shop), rfc3339(time.time() + 60))) > 0
    late = {path: read(shop, path, user, last_event_id=str(ids[0])) for path in ("/events", "/product-events")}
    for reader in late.values():
        shop.runner.run(reader.until(lambda reader=reader: reader.events))  # type: ignore[misc]  # bound at once
    assert [reader.events[0] for reader in late.values()] == [
        (first.position, "stream.reset", {"channel": "stream", "type": "reset"}),
        (first.position, "reset", {"channel": "stream", "type": "reset"}),
    ]
    in_time = read(shop, "/events", user, last_event_id=str(ids[1]))
    last = shop.product(seller)["id"]
    for reader in late.values():
        shop.runner.run(reader.until(lambda reader=reader: len(reader.events) == 2))  # type: ignore[misc]  # same
        assert reader.events[1][2]["id"] == last
    assert [about for _, about in wait(shop, in_time, 2)] == [first.events[2][2]["id"], last]
    leave(shop, in_time, *late.values())
