"""The pool of ids: what it learns, what it offers, and that a draw is always offered the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Contract
from harness.drivers.fuzz.pool import MAX_KEPT, Pool
from harness.drivers.fuzz.shards import shards
from harness.exchange import Exchange, Request, Response
from tests.unit.harness.drivers.fuzz.conftest import document

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOP = Contract.read(document(), "shop")
TWO_SHARDS = 2


def exchange(method: str, path: str, operation: str, status: int, body: object = None) -> Exchange:
    """One answer."""
    data = b"" if body is None else json.dumps(body).encode()
    return Exchange("x", Request(method, path, operation), Response(status, (), data), 0, 0, 0)


def made(*names: str) -> Pool:
    """A pool that has learnt of items."""
    pool = Pool(SHOP)
    for name in names:
        pool.learn(exchange("POST", "/items", "items.create", 201, {"id": name}))
    return pool


def offered(pool: Pool, draws: Sequence[str]) -> set[str]:
    """The ids that stand in place of so many draws."""
    return {pool.path("GET", "/items/{id}", {"id": text})["id"] for text in draws} - set(draws)


DRAWS = [f"draw-{number}" for number in range(60)]


def test_what_was_made_is_offered() -> None:
    """Ids stand in place of most draws, and some draws are left as they are."""
    pool = made("a", "b")
    assert offered(pool, DRAWS) == {"a", "b"}
    kept = [text for text in DRAWS if pool.path("GET", "/items/{id}", {"id": text})["id"] == text]
    assert 0 < len(kept) < len(DRAWS) / 2


def test_what_was_refused_or_deleted_is_not_offered() -> None:
    """A refused create makes nothing; a delete takes out what it deleted, a refused one does not."""
    pool = made("a", "b")
    pool.learn(exchange("POST", "/items", "items.create", 400, {"id": "c"}))
    pool.learn(exchange("DELETE", "/items/a", "items.delete", 204))
    pool.learn(exchange("DELETE", "/items/b", "items.delete", 404))
    assert offered(pool, DRAWS) == {"b"}


def test_the_newest_are_kept() -> None:
    """A pool does not grow without end."""
    names = [f"i{number}" for number in range(MAX_KEPT + 5)]
    assert offered(made(*names), [f"{text}-{number}" for text in DRAWS for number in range(9)]) == set(names[5:])


def test_what_needs_nothing_is_left_alone() -> None:
    """An empty pool, and an operation that needs no id, change nothing."""
    assert offered(Pool(SHOP), DRAWS) == set()
    assert made("a").body("POST", "/items", {"name": "a"}) == {"name": "a"}
    assert made("a").path("GET", "/items", {}) == {}


@given(st.text(), st.lists(st.text(min_size=1), max_size=4))
def test_a_draw_is_offered_the_same_again(drawn: str, names: list[str]) -> None:
    """The same draw from the same pool is the same request."""
    pool = made(*names)
    first = pool.path("GET", "/items/{id}", {"id": drawn})
    assert pool.path("GET", "/items/{id}", {"id": drawn}) == first
    assert first["id"] in {drawn, *names}


def test_what_is_joined_stays_in_one_shard() -> None:
    """Items' operations are joined by links and paths; what stands alone goes elsewhere; each is in one shard."""
    assert shards(SHOP, TWO_SHARDS) == (
        frozenset({"items.list", "items.create", "items.get", "items.delete"}),
        frozenset({"logout"}),
    )
    assert shards(SHOP, 1) == (frozenset(SHOP.by_id),)
    assert len(shards(SHOP, 9)) == TWO_SHARDS
