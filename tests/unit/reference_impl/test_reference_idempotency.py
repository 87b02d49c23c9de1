"""Idempotency-Key on orders: one effect a key, and the first answer for whoever asks again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference_impl.clock import rfc3339

if TYPE_CHECKING:
    import httpx
    from conftest import Account, Shop


def request(product_id: str, by: Account, key: str, quantity: int = 1) -> tuple[str, str, Account, dict[str, Any]]:
    """An order with a key."""
    body = {"items": [{"productId": product_id, "quantity": quantity}]}
    return "POST", "/orders", by, {"json": body, "headers": {"Idempotency-Key": key}}


def send(shop: Shop, product_id: str, by: Account, key: str, quantity: int = 1) -> httpx.Response:
    """Send one."""
    return shop.together([request(product_id, by, key, quantity)])[0]


def replayed(answer: httpx.Response) -> bool:
    """Whether an answer says that it is one of before."""
    return answer.headers.get("idempotency-replayed") == "true"


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 2)), min_size=1, max_size=10))
def test_one_effect_a_key_at_any_concurrency(shop: Shop, calls: list[tuple[str, int]]) -> None:
    """Per key one order; the same body gets the same bytes, another body 409; stock is drawn once a key."""
    seller = shop.account("seller")
    product_id = shop.product(seller, stock=100)["id"]
    answers = shop.together([request(product_id, seller, key, quantity) for key, quantity in calls])
    drawn = 0
    for key in {key for key, _ in calls}:
        mine = [(quantity, answer) for (one, quantity), answer in zip(calls, answers, strict=True) if one == key]
        placed = [(quantity, answer) for quantity, answer in mine if answer.status_code == 201]
        assert len({answer.content for _, answer in placed}) == len({quantity for quantity, _ in placed}) == 1
        assert [replayed(answer) for _, answer in placed].count(False) == 1
        assert all(answer.status_code == 409 for quantity, answer in mine if quantity != placed[0][0])
        drawn += placed[0][0]
    assert shop.stock(product_id) == 100 - drawn


def test_a_replay_is_the_first_answer(shop: Shop) -> None:
    """Status, body and Location are those of the first time, also when the order has changed since."""
    seller = shop.account("seller")
    product_id = shop.product(seller)["id"]
    first = send(shop, product_id, seller, "k")
    assert (first.status_code, replayed(first)) == (201, False)
    assert shop.send("POST", f"/orders/{first.json()['id']}/cancel", seller).status_code == 200
    again = send(shop, product_id, seller, "k")
    assert (again.status_code, again.content, replayed(again)) == (201, first.content, True)
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["content-type"] == first.headers["content-type"]
    assert shop.stock(product_id) == 5


def test_bodies_that_mean_the_same_are_the_same(shop: Shop) -> None:
    """Spaces, order of members and 1.0 for 1 make no other body."""
    seller = shop.account("seller")
    product_id = shop.product(seller)["id"]
    texts = [
        f'{{"items": [{{"productId": "{product_id}", "quantity": 1}}]}}',
        f'{{"items":[{{"quantity":1.0,"productId":"{product_id}"}}]}}',
    ]
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    answers = [shop.send("POST", "/orders", seller, content=text, headers=headers) for text in texts]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert [replayed(answer) for answer in answers] == [False, True]


def test_a_key_is_its_callers_own(shop: Shop) -> None:
    """Two users with one key have an order each."""
    seller, buyer = shop.account("seller"), shop.account()
    product_id = shop.product(seller)["id"]
    answers = shop.together([request(product_id, seller, "k"), request(product_id, buyer, "k")])
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] != answers[1].json()["id"]
    assert shop.stock(product_id) == 3


def test_a_refusal_is_not_kept(shop: Shop) -> None:
    """Too little stock is 409 for the key; when there is enough again, the same key places the order."""
    seller = shop.account("seller")
    product_id = shop.product(seller, stock=1)["id"]
    assert send(shop, product_id, seller, "k", 2).status_code == 409
    patch = {"stock": 2, "version": 1}
    assert shop.send("PATCH", f"/products/{product_id}", seller, json=patch).status_code == 200
    answer = send(shop, product_id, seller, "k", 2)
    assert (answer.status_code, replayed(answer)) == (201, False)


def test_a_key_is_kept_for_a_day(shop: Shop) -> None:
    """After 24 hours it is a new key; before, it is not."""
    seller = shop.account("seller")
    product_id = shop.product(seller)["id"]
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert database is not None
    ids = []
    for age_s in (0, 86_000, 87_000):
        at = rfc3339(time.time() - age_s)
        shop.runner.run(database.run("UPDATE idempotency_keys SET created_at = ?", at))
        ids.append(send(shop, product_id, seller, "k").json()["id"])
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("key", "status"), [("x", 201), ("!~" * 127, 201), ("x" * 256, 400), ("", 400), ("a b", 400), ("a\tb", 400)]
)
def test_a_key_is_visible_ascii(shop: Shop, key: str, status: int) -> None:
    """1 to 255 characters without spaces; another is 400 and places nothing."""
    seller = shop.account("seller")
    product_id = shop.product(seller)["id"]
    assert send(shop, product_id, seller, key).status_code == status
    assert shop.stock(product_id) == (4 if status == 201 else 5)


def test_without_a_key_every_call_is_an_order(shop: Shop) -> None:
    """Nothing is kept and nothing is replayed."""
    seller = shop.account("seller")
    product_id = shop.product(seller)["id"]
    answers = [shop.order(seller, (product_id, 1)) for _ in range(2)]
    assert [replayed(answer) for answer in answers] == [False, False]
    assert shop.stock(product_id) == 3
