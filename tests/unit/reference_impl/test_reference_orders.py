"""Orders conserve stock, whatever is asked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from conftest import Shop

LINES = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 4)), min_size=1, max_size=3)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, min_size=1, max_size=12), st.data())
def test_concurrent_orders_and_cancels_conserve_stock(
    shop: Shop, orders: list[list[tuple[int, int]]], data: st.DataObject
) -> None:
    """Stock is what it was less what was placed and not cancelled; it never falls below zero; refusals draw nothing."""
    seller = shop.account("seller")
    products = [shop.product(seller, stock=9, price=price)["id"] for price in (0.1, 19.99)]
    cents = {products[0]: 10, products[1]: 1999}
    bodies = [
        {"items": [{"productId": products[which], "quantity": quantity} for which, quantity in lines]}
        for lines in orders
    ]
    answers = shop.together([("POST", "/orders", seller, {"json": body}) for body in bodies])
    placed = [answer.json() for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 409}
    for order in placed:
        total = sum(cents[item["productId"]] * item["quantity"] for item in order["items"])
        assert order["total"] == total / 100
    cancelled = [order for order in placed if data.draw(st.booleans())]
    twice = [("POST", f"/orders/{order['id']}/cancel", seller, {}) for order in cancelled for _ in range(2)]
    statuses = sorted(answer.status_code for answer in shop.together(twice)) if twice else []
    assert statuses == [200] * len(cancelled) + [409] * len(cancelled)
    kept = [order for order in placed if order not in cancelled]
    for product in products:
        drawn = sum(item["quantity"] for order in kept for item in order["items"] if item["productId"] == product)
        assert shop.stock(product) == 9 - drawn >= 0


def test_an_order_with_one_short_line_draws_nothing(shop: Shop) -> None:
    """The whole order is refused with 409 and no stock moves."""
    seller = shop.account("seller")
    first, second = shop.product(seller)["id"], shop.product(seller, stock=1)["id"]
    refused = shop.order(shop.account(), (first, 2), (second, 2))
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "INSUFFICIENT_STOCK")
    assert (shop.stock(first), shop.stock(second)) == (5, 1)


def test_an_order_raises_the_products_version_and_keeps_its_price(shop: Shop) -> None:
    """Drawing stock is a change of the product; a later price does not change the order."""
    seller = shop.account("seller")
    product = shop.product(seller)
    order = shop.order(seller, (product["id"], 3)).json()
    seen = shop.send("GET", f"/products/{product['id']}")
    assert (seen.json()["version"], seen.headers["etag"]) == (2, '"2"')
    shop.send("PATCH", f"/products/{product['id']}", seller, json={"price": 1, "version": 2})
    assert shop.send("GET", f"/orders/{order['id']}", seller).json()["total"] == 59.97


def test_another_users_order_is_not_there(shop: Shop) -> None:
    """A stranger gets 404 on reading and cancelling; an admin may do both."""
    product = shop.product(shop.account("seller"))
    buyer, stranger = shop.account(), shop.account()
    path = f"/orders/{shop.order(buyer, (product['id'], 1)).json()['id']}"
    assert shop.send("GET", path, stranger).status_code == 404
    assert shop.send("POST", f"{path}/cancel", stranger).status_code == 404
    assert shop.send("GET", "/orders", stranger).json()["total"] == 0
    assert shop.send("GET", path, shop.admin).status_code == 200
    assert shop.send("POST", f"{path}/cancel", shop.admin).json()["status"] == "cancelled"


def test_a_deleted_product_cannot_be_ordered(shop: Shop) -> None:
    """An order of what is gone is an INVALID_REFERENCE."""
    seller = shop.account("seller")
    product = shop.product(seller)
    shop.send("DELETE", f"/products/{product['id']}", seller)
    refused = shop.order(seller, (product["id"], 1))
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "INVALID_REFERENCE")
