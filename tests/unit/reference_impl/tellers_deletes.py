"""Tells each planted defect of deletes: what is still there of what is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.unit.reference_impl.tellers_catalogue import png

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Account, Shop


def gone(shop: Shop, **members: Any) -> tuple[Account, dict[str, Any]]:
    """A product that its seller has deleted."""
    seller = shop.account("seller")
    product = shop.product(seller, **members)
    assert shop.send("DELETE", f"/products/{product['id']}", seller).status_code == 204
    return seller, product


def orphan_read(shop: Shop) -> bool:
    """Tell G01: the review of a deleted product is read."""
    seller = shop.account("seller")
    product = shop.product(seller)
    path = f"/products/{product['id']}"
    review = shop.send("POST", f"{path}/reviews", shop.account(), json={"rating": 5}).json()
    shop.send("DELETE", path, seller)
    return shop.send("GET", f"/reviews/{review['id']}").status_code == 200


def gone_is_sold(shop: Shop) -> bool:
    """Tell G02: an order of a deleted product is placed."""
    _, product = gone(shop)
    return shop.order(shop.account(), (product["id"], 1)).status_code == 201


def gone_is_counted(shop: Shop) -> bool:
    """Tell G03: the figures count it."""
    gone(shop)
    return shop.send("GET", "/admin/stats", shop.admin).json()["products"] == 1


def gone_is_found(shop: Shop) -> bool:
    """Tell G04: a search shows it."""
    _, product = gone(shop)
    return shop.send("GET", f"/products?search={product['name']}").json()["total"] == 1


def gone_is_listed(shop: Shop) -> bool:
    """Tell G05: a deleted post is in the list."""
    author = shop.account()
    path = f"/posts/{shop.send('POST', '/posts', author, json={'title': 'A', 'content': 'B'}).json()['id']}"
    shop.send("PUT", f"{path}/publish", author)
    shop.send("DELETE", path, author)
    return len(shop.send("GET", "/posts").json()["data"]) == 1


def used_is_deleted(shop: Shop) -> bool:
    """Tell G06: a category in use is deleted."""
    product = shop.product(shop.account("seller"))
    return shop.send("DELETE", f"/categories/{product['category']['id']}", shop.admin).status_code == 204


def address_stays(shop: Shop) -> bool:
    """Tell G07: nobody may have a deleted user's e-mail."""
    body = {"email": "x@example.test", "password": "12345678", "name": "X"}
    made = shop.send("POST", "/users", shop.admin, json=body).json()
    shop.send("DELETE", f"/users/{made['id']}", shop.admin)
    return shop.send("POST", "/users", shop.admin, json=body).status_code == 409


def files_stay(shop: Shop) -> bool:
    """Tell G08: the picture of a deleted product is fetched."""
    seller = shop.account("seller")
    path = f"/products/{shop.product(seller)['id']}"
    shown = shop.send("POST", f"{path}/images", seller, files={"image": png(20, 20)}).json()
    shop.send("DELETE", path, seller)
    return shop.send("GET", f"http://shop.test{shown['images'][0]['url']}").status_code == 200


TELLERS: dict[str, Callable[[Shop], bool]] = {
    "G01": orphan_read,
    "G02": gone_is_sold,
    "G03": gone_is_counted,
    "G04": gone_is_found,
    "G05": gone_is_listed,
    "G06": used_is_deleted,
    "G07": address_stays,
    "G08": files_stay,
}
