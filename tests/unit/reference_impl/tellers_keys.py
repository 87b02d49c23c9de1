"""Tells each planted defect of calls that are sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Account, Shop

KEY = {"Idempotency-Key": "one"}


def body(product_id: str, quantity: int = 1) -> dict[str, Any]:
    """An order of one line."""
    return {"items": [{"productId": product_id, "quantity": quantity}]}


def sent(shop: Shop, buyer: Account, product_id: str, quantity: int = 1) -> Any:
    """An order with the key."""
    return shop.send("POST", "/orders", buyer, json=body(product_id, quantity), headers=KEY)


def anyones_key(shop: Shop) -> bool:
    """Tell I01: another buyer gets the first one's order."""
    product_id = shop.product(shop.account("seller"))["id"]
    first, second = (sent(shop, shop.account(), product_id) for _ in range(2))
    return bool(first.json()["id"] == second.json().get("id"))


def together(shop: Shop) -> bool:
    """Tell I02: orders with one key at one instant draw more than once; one after the other they do not."""
    product_id, buyer = shop.product(shop.account("seller"))["id"], shop.account()
    requests = [("POST", "/orders", buyer, {"json": body(product_id), "headers": KEY}) for _ in range(3)]
    shop.together(requests)
    drawn = 5 - shop.stock(product_id)
    sent(shop, buyer, product_id)
    return drawn > 1 and shop.stock(product_id) == 5 - drawn


def any_body(shop: Shop) -> bool:
    """Tell I03: another quantity gets the first answer."""
    product_id, buyer = shop.product(shop.account("seller"))["id"], shop.account()
    first, second = (sent(shop, buyer, product_id, quantity) for quantity in (1, 2))
    return bool(first.json()["id"] == second.json().get("id"))


def claimed(shop: Shop) -> bool:
    """Tell I04: after a refusal the key is spent."""
    product_id, buyer = shop.product(shop.account("seller"))["id"], shop.account()
    refused, again = (sent(shop, buyer, product_id, quantity) for quantity in (900, 1))
    return (refused.status_code, again.json().get("error", {}).get("code")) == (409, "CONFLICT")


def drawn_again(shop: Shop) -> bool:
    """Tell I05: one order, answered twice, draws two."""
    product_id, buyer = shop.product(shop.account("seller"))["id"], shop.account()
    first, second = (sent(shop, buyer, product_id).json() for _ in range(2))
    return (first["id"], shop.stock(product_id)) == (second["id"], 3)


def never_with_a_key(shop: Shop) -> bool:
    """Tell I06: with a key an order is 503, without one it is made."""
    product_id, buyer = shop.product(shop.account("seller"))["id"], shop.account()
    keyed = sent(shop, buyer, product_id).status_code
    return (keyed, shop.send("POST", "/orders", buyer, json=body(product_id)).status_code) == (503, 201)


TELLERS: dict[str, Callable[[Shop], bool]] = {
    "I01": anyones_key,
    "I02": together,
    "I03": any_body,
    "I04": claimed,
    "I05": drawn_again,
    "I06": never_with_a_key,
}
