"""How a defect of HTTP itself is told: what an answer lacks with it planted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from conftest import Shop


def no_allow(shop: Shop) -> bool:
    """Tell H1: a 405 has no Allow."""
    answer = shop.send("PUT", "/categories")
    return answer.status_code == 405 and "allow" not in answer.headers


def no_challenge(shop: Shop) -> bool:
    """Tell H2: a 401 has no WWW-Authenticate."""
    answer = shop.send("GET", "/auth/me")
    return answer.status_code == 401 and "www-authenticate" not in answer.headers


def location_elsewhere(shop: Shop) -> bool:
    """Tell H3: the Location of a new category is not found."""
    answer = shop.send("POST", "/categories", shop.account("admin"), json={"name": "Bowls of H3"})
    path = answer.headers["location"].partition("/api/v1")[2]
    return answer.status_code == 201 and shop.send("GET", path).status_code == 404


def stock_of_refused(shop: Shop) -> bool:
    """Tell H4: a stale update is refused, and its stock is kept."""
    seller = shop.account("seller")
    path = f"/products/{shop.product(seller)['id']}"
    refused = shop.send("PATCH", path, seller, json={"stock": 4321, "version": 99})
    return refused.status_code == 409 and shop.send("GET", path).json()["stock"] == 4321


def rounded_price(shop: Shop) -> bool:
    """Tell H5: 666666.66 is kept as 666666.69."""
    body = {"name": "A", "price": 666666.66, "categoryId": shop.category()}
    return bool(shop.send("POST", "/products", shop.account("seller"), json=body).json()["price"] == 666666.69)


def made_although_refused(shop: Shop) -> bool:
    """Tell H6: a product of no category is refused, and listed."""
    shop.category()
    body = {"name": "Bowl of H6", "price": 1, "categoryId": "00000000-0000-4000-8000-000000000000"}
    status = shop.send("POST", "/products", shop.account("seller"), json=body).status_code
    names = [item["name"] for item in shop.send("GET", "/products?limit=50").json()["items"]]
    return status == 400 and "Bowl of H6" in names


async def streamed(body: bytes) -> AsyncIterator[bytes]:
    """Its parts, so that no length is told."""
    yield body[:1000]
    yield body[1000:]


def cut_off(shop: Shop) -> bool:
    """Tell H7: spaces beyond the bound are cut off where no length is told, and refused where it is."""
    admin, long = shop.account("admin"), b'{"name": "Bowls of H7"}' + b" " * 1_048_576
    told = {"Content-Type": "application/json"}
    known = shop.send("POST", "/categories", admin, headers=told, content=long).status_code
    untold = shop.send("POST", "/categories", admin, headers=told, content=streamed(long)).status_code
    return (known, untold) == (413, 201)


TELLERS: dict[str, Callable[[Shop], bool]] = {
    "H1": no_allow,
    "H2": no_challenge,
    "H3": location_elsewhere,
    "H4": stock_of_refused,
    "H5": rounded_price,
    "H6": made_although_refused,
    "H7": cut_off,
}
