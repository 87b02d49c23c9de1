"""Batch update: every id is told of once, chunks are whole, and the price asked is the price less the discount."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
import uuid_utils
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference_impl.data import postgres
from reference_impl.data.database import DatabaseError
from reference_impl.price import discounted
from reference_impl.procedures import product_batch
from reference_impl.procedures.product_batch import CHUNK, chunks

if TYPE_CHECKING:
    import httpx
    from conftest import Shop


def batch(shop: Shop, ids: list[str], **members: Any) -> httpx.Response:
    """Change products as admin."""
    return shop.send("POST", "/bulk/products", shop.admin, json={"ids": ids, **members})


def absent() -> str:
    """The id of nothing."""
    return str(uuid_utils.uuid7())


@given(st.integers(0, 99_999_999), st.integers(0, 100))
def test_a_discount_is_exact_and_half_a_cent_goes_up(cents: int, percent: int) -> None:
    """Integers give what exact decimals give."""
    exact = (Decimal(cents) * (100 - percent) / 100).quantize(Decimal(1), ROUND_HALF_UP)
    assert discounted(cents, percent) == exact
    assert discounted(cents, 0) == cents
    assert discounted(cents, 100) == 0


@given(st.lists(st.uuids().map(str), max_size=100, unique=True))
def test_chunks_are_a_partition(ids: list[str]) -> None:
    """Every id is in one chunk, in order, and no chunk is above ten or empty."""
    parts = chunks(ids)
    assert [one for part in parts for one in part] == ids
    assert all(0 < len(part) <= CHUNK for part in parts)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["there", "deleted", "absent"]), min_size=1, max_size=24), st.integers(0, 100))
def test_every_id_is_updated_or_failed(shop: Shop, kinds: list[str], discount: int) -> None:
    """Those there are changed and raised by one, the others are named, and the numbers add up."""
    seller = shop.account("seller")
    category = shop.category(f"Category {absent()}")
    products = [shop.product(seller, categoryId=category) if kind != "absent" else {"id": absent()} for kind in kinds]
    for kind, product in zip(kinds, products, strict=True):
        if kind == "deleted":
            assert shop.send("DELETE", f"/products/{product['id']}", seller).status_code == 204
    answer = batch(shop, [product["id"] for product in products], discount=discount)
    assert answer.status_code == 200, answer.text
    there = {product["id"] for kind, product in zip(kinds, products, strict=True) if kind == "there"}
    assert answer.json()["updated"] == len(there)
    assert sorted(answer.json()["failed"]) == sorted({product["id"] for product in products} - there)
    for product_id in there:
        seen = shop.send("GET", f"/products/{product_id}")
        assert (seen.json()["discount"], seen.json()["version"], seen.headers["etag"]) == (discount, 2, '"2"')


def test_a_discount_is_what_an_order_pays(shop: Shop) -> None:
    """Both prices are shown, in the list too; the order takes the final one, and a past order keeps its own."""
    seller = shop.account("seller")
    product = shop.product(seller, price=0.05, stock=9)
    before = shop.order(seller, (product["id"], 1)).json()
    assert batch(shop, [product["id"]], discount=30).json() == {"updated": 1, "failed": []}
    seen = shop.send("GET", f"/products/{product['id']}").json()
    assert (seen["price"], seen["discount"], seen["finalPrice"]) == (0.05, 30, 0.04)
    assert shop.send("GET", "/products").json()["items"][0]["finalPrice"] == 0.04
    order = shop.order(seller, (product["id"], 3)).json()
    assert (order["total"], order["items"][0]["price"]) == (0.12, 0.04)
    assert shop.send("GET", f"/orders/{before['id']}", seller).json() == before


def test_a_category_is_given_to_many_and_told_of(shop: Shop) -> None:
    """Each changed product has its audit row and its event row with the new category."""
    seller = shop.account("seller")
    ids = [shop.product(seller)["id"] for _ in range(3)]
    category = shop.category("Plates")
    assert batch(shop, ids, categoryId=category).json()["updated"] == 3
    assert shop.send("GET", f"/products?category={category}").json()["total"] == 3
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert database is not None
    audit = shop.runner.run(
        database.query("SELECT actor_id, subject_id FROM audit_log WHERE action = 'products.batchUpdate'")
    )
    assert sorted(audit) == sorted((shop.admin.id, product_id) for product_id in ids)
    events = shop.runner.run(database.query("SELECT data FROM events WHERE type = 'updated'"))
    assert len(events) == 3
    assert all(category in data for (data,) in events)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"ids": []}, 400),
        ({"ids": ["01980000-0000-7000-8000-000000000000"]}, 400),
        ({"ids": ["01980000-0000-7000-8000-000000000000"] * 2, "discount": 1}, 400),
        ({"ids": [f"01980000-0000-7000-8000-{n:012d}" for n in range(101)], "discount": 1}, 400),
        ({"ids": [f"01980000-0000-7000-8000-{n:012d}" for n in range(100)], "discount": 1}, 200),
        ({"ids": ["01980000-0000-7000-8000-000000000000"], "discount": 101}, 400),
        ({"ids": ["01980000-0000-7000-8000-000000000000"], "discount": -1}, 400),
        ({"ids": ["01980000-0000-7000-8000-000000000000"], "discount": 2.5}, 400),
        ({"ids": ["01980000-0000-7000-8000-000000000000"], "discount": 10.0}, 200),
        ({"ids": ["x"], "discount": 1}, 400),
        ({"discount": 1}, 400),
        ({"ids": ["01980000-0000-7000-8000-000000000000"], "categoryId": "01980000-0000-7000-8000-000000000001"}, 400),
    ],
)
def test_the_bounds_refuse(shop: Shop, body: dict[str, Any], status: int) -> None:
    """One to a hundred distinct ids, something to change, a whole percentage, a category that is there."""
    assert shop.send("POST", "/bulk/products", shop.admin, json=body).status_code == status


def test_it_is_for_admins(shop: Shop) -> None:
    """The products' own seller is 403, nobody is 401."""
    seller = shop.account("seller")
    body = {"ids": [shop.product(seller)["id"]], "discount": 1}
    assert shop.send("POST", "/bulk/products", seller, json=body).status_code == 403
    assert shop.send("POST", "/bulk/products", None, json=body).status_code == 401


def test_a_chunk_that_fails_is_undone_whole(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its ids are in `failed` and unchanged, the chunks before and after it stand; a first that fails refuses all."""
    seller = shop.account("seller")
    category = shop.category()
    ids = [shop.product(seller, categoryId=category)["id"] for _ in range(25)]
    whole = product_batch.change
    calls = []

    def failing(identity: Any, chunk: list[str], body: Any) -> Any:
        done = yield from whole(identity, chunk, body)
        calls.append(chunk)
        if len(calls) in {2, 4}:
            raise DatabaseError("timeout", "slow")
        return done

    monkeypatch.setattr(product_batch, "change", failing)
    assert batch(shop, ids, discount=5).json() == {"updated": 15, "failed": ids[10:20]}
    seen = [shop.send("GET", f"/products/{product_id}").json()["version"] for product_id in ids]
    assert seen == [2] * 10 + [1] * 10 + [2] * 5
    assert batch(shop, ids[:3], discount=7).status_code == 504
    assert shop.send("GET", f"/products/{ids[0]}").json()["discount"] == 5


@pytest.mark.engines("postgresql")
@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_chunk_whose_commit_may_be_kept_is_not_told_as_failed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    """The connection ends when a COMMIT was done and not answered: the call is refused and says that it is unknown."""
    seller = shop.account("seller")
    category = shop.category()
    ids = [shop.product(seller, categoryId=category)["id"] for _ in range(25)]
    whole, commits = postgres._whole, []

    async def cut_short(sent: Any, stop: Any = None) -> Any:
        told = await whole(sent, stop)
        commits.append(told)
        if len(commits) == lost:
            error = asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
            error.unknown = True
            raise error
        return told

    with monkeypatch.context() as during:
        during.setattr(postgres, "_whole", cut_short)
        answer = batch(shop, ids, discount=5)
    assert (answer.status_code, commits) == (503, ["COMMIT"] * lost)
    assert "it is not known whether the change is kept" in answer.json()["error"]["message"]
    seen = [shop.send("GET", f"/products/{product_id}").json()["discount"] for product_id in ids]
    assert seen == ([5] * (CHUNK * lost) + [0] * 25)[:25]
