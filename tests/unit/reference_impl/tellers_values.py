"""How a defect of what becomes of a value is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop


def content_kept(shop: Shop) -> Any:
    """A draft's content that was sent with a `<`."""
    return shop.send("POST", "/posts", shop.account(), json={"title": "A", "content": "a < b"}).json()


def comment_kept(shop: Shop) -> Any:
    """A review's comment that was sent with an umlaut."""
    path = f"/products/{shop.product(shop.account('seller'))['id']}/reviews"
    shop.send("POST", path, shop.account(), json={"rating": 5, "comment": "schön"})
    return shop.send("GET", path).json()["items"][0]


def top_refused(shop: Shop) -> bool:
    """Tell C4c: the highest price is refused, and one cent less is not."""
    seller, category = shop.account("seller"), shop.category()
    bodies = [{"name": f"Bowl {price}", "price": price, "categoryId": category} for price in (999999.98, 999999.99)]
    return [shop.send("POST", "/products", seller, json=body).status_code for body in bodies] == [201, 400]


def cents_kept(shop: Shop) -> bool:
    """Tell C4a: a new product's price is a cent less."""
    product = shop.product(shop.account("seller"), price=19.99)
    return bool(shop.send("GET", f"/products/{product['id']}").json()["price"] == 19.98)


def seller_named(shop: Shop) -> bool:
    """Tell C4b: a product is made in another's name."""
    other = shop.account("seller")
    body = {"name": "A", "price": 1, "categoryId": shop.category(), "sellerId": other.id}
    answer = shop.send("POST", "/products", shop.account("seller"), json=body)
    return answer.status_code == 201 and answer.json()["sellerId"] == other.id


def zero_ignored(shop: Shop) -> bool:
    """Tell C5d: a stock of nothing is taken and is not written."""
    seller = shop.account("seller")
    path = f"/products/{shop.product(seller)['id']}"
    answer = shop.send("PATCH", path, seller, json={"stock": 0, "version": 1})
    return answer.status_code == 200 and shop.send("GET", path).json()["stock"] == 5


def order_told(shop: Shop, price: float = 19.99, discount: int = 0) -> Any:
    """An order of one piece, as a read tells it, and the product's own price beside it."""
    buyer, product = shop.account(), shop.product(shop.account("seller"), price=price)
    if discount:
        shop.send("POST", "/bulk/products", shop.admin, json={"ids": [product["id"]], "discount": discount})
    order = shop.order(buyer, (product["id"], 1)).json()
    told = shop.send("GET", f"/orders/{order['id']}", buyer).json()
    return {**told, "asked": shop.send("GET", f"/products/{product['id']}").json()["finalPrice"]}


def dearer_told(shop: Shop) -> bool:
    """Tell C7b: a product with a discount is told at a cent more than an order of it."""
    order = order_told(shop, 0.01, 50)
    return bool(order["total"] == 0 and order["asked"] == 0.01)


TELLERS: dict[str, Callable[[Shop], bool]] = {
    "A14a": lambda shop: content_kept(shop)["content"] == "a &lt; b",
    "A14b": lambda shop: comment_kept(shop)["comment"] == "sch?n",
    "C4a": cents_kept,
    "C4c": top_refused,
    "C4b": seller_named,
    "C5d": zero_ignored,
    "C7b": dearer_told,
    "D3a": lambda shop: order_told(shop)["total"] == 19.98,
    "G2a": lambda shop: "publishedAt" in content_kept(shop),
    "G2b": lambda shop: order_told(shop)["total"] == "19.99",
    "G2c": lambda shop: " " in comment_kept(shop)["createdAt"],
}
