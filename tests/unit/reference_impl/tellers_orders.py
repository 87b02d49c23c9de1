"""How a defect of orders and of people is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop


def no_items(shop: Shop) -> bool:
    """Tell S29: an order is read without its items."""
    buyer = shop.account()
    order = shop.order(buyer, (shop.product(shop.account("seller"))["id"], 1)).json()
    return shop.send("GET", f"/orders/{order['id']}", buyer).json()["items"] == []


def drawn_once(shop: Shop) -> bool:
    """Tell D3b: two orders at one instant draw one."""
    product_id = shop.product(shop.account("seller"))["id"]
    body: Any = {"items": [{"productId": product_id, "quantity": 1}]}
    answers = shop.together([("POST", "/orders", shop.account(), {"json": body}) for _ in range(2)])
    return [answer.status_code for answer in answers] == [201, 201] and shop.stock(product_id) == 4


def cancelled(shop: Shop, times: int) -> list[int]:
    """Order two products, cancel so often, and return what is in stock of each."""
    seller, buyer = shop.account("seller"), shop.account()
    ids = [shop.product(seller)["id"] for _ in range(2)]
    order = shop.order(buyer, *((product_id, 2) for product_id in ids)).json()
    for _ in range(times):
        shop.send("POST", f"/orders/{order['id']}/cancel", buyer)
    return [shop.stock(product_id) for product_id in ids]


def drawn_in_part(shop: Shop) -> bool:
    """Tell D3e: a refused order has drawn its first line."""
    seller = shop.account("seller")
    first, second = sorted(shop.product(seller)["id"] for _ in range(2))
    assert shop.order(shop.account(), (first, 1), (second, 6)).status_code == 409
    return bool(shop.stock(first) == 4)


def taken_email(shop: Shop) -> Any:
    """Patch a user to a taken e-mail."""
    return shop.send("PATCH", f"/users/{shop.account().id}", shop.admin, json={"email": "admin@example.test"})


TELLERS: dict[str, Callable[[Shop], bool]] = {
    "S29": no_items,
    "S37": lambda shop: taken_email(shop).status_code == 500,
    "S47": lambda shop: "UPDATE users" in taken_email(shop).text,
    "D3b": drawn_once,
    "D3c": lambda shop: cancelled(shop, 2) == [7, 7],
    "D3d": lambda shop: cancelled(shop, 1) in ([5, 3], [3, 5]),
    "D3e": drawn_in_part,
}
