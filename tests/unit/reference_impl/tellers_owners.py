"""How a defect of whose a thing is is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop


def review_of(shop: Shop) -> str:
    """Write a review and return its path."""
    product_id = shop.product(shop.account("seller"))["id"]
    made = shop.send("POST", f"/products/{product_id}/reviews", shop.account(), json={"rating": 5})
    return f"/reviews/{made.json()['id']}"


def deleted_by_stranger(shop: Shop) -> tuple[int, int]:
    """The status of a stranger's delete of a review, and of reading it then."""
    path = review_of(shop)
    return shop.send("DELETE", path, shop.account()).status_code, shop.send("GET", path).status_code


def order_of(shop: Shop) -> str:
    """Place an order and return its path."""
    product_id = shop.product(shop.account("seller"))["id"]
    return f"/orders/{shop.order(shop.account(), (product_id, 1)).json()['id']}"


def draft_of(shop: Shop) -> str:
    """Write a draft and return its path."""
    return f"/posts/{shop.send('POST', '/posts', shop.account(), json={'title': 'A', 'content': 'B'}).json()['id']}"


def rewritten(shop: Shop) -> bool:
    """Tell B7f: a stranger changes a post once it is published."""
    author, stranger = shop.account(), shop.account()
    path = f"/posts/{shop.send('POST', '/posts', author, json={'title': 'A', 'content': 'B'}).json()['id']}"
    draft = shop.send("PATCH", path, stranger, json={"title": "C"}).status_code
    assert shop.send("PUT", f"{path}/publish", author).status_code == 200
    return (draft, shop.send("PATCH", path, stranger, json={"title": "C"}).status_code) == (404, 200)


def found_by_email(shop: Shop) -> bool:
    """Tell D1a: a stranger's search finds the admin by the e-mail."""
    found = shop.send("GET", "/users?search=example.test", shop.account()).json()["data"]
    return any("email" not in user for user in found)


TELLERS: dict[str, Callable[[Shop], bool]] = {
    "B7a": lambda shop: deleted_by_stranger(shop) == (204, 404),
    "B7b": lambda shop: deleted_by_stranger(shop) == (403, 404),
    "B7c": lambda shop: shop.send("GET", order_of(shop), shop.account()).status_code == 403,
    "B7d": lambda shop: shop.send("POST", f"{order_of(shop)}/cancel", shop.account()).status_code == 200,
    "B7e": lambda shop: shop.send("GET", draft_of(shop), shop.account()).status_code == 200,
    "B7f": rewritten,
    "D1a": found_by_email,
    "D2a": lambda shop: shop.send("PUT", f"{draft_of(shop)}/publish", shop.admin).status_code == 200,
}
