"""The journey of a seller: a product is offered, its price is changed, and it is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.load.journey import Route
from scenarios.load.ground import STOCK, WORDS
from scenarios.load.request import id_of, request
from scenarios.load.shop import browse

if TYPE_CHECKING:
    from harness.load.journey import Journey, Visit


def offer(visit: Visit) -> Journey[None]:
    """Makes a product, changes it against the version that was answered, and deletes it; one of the sellers does.

    Where there is none the customer browses.
    """
    sellers, categories = visit.ground.facts["sellers"], visit.ground.facts["categories"]
    if not sellers or not categories:
        yield from browse(visit)
        return
    random, seller = visit.random, visit.random.choice(sellers)
    product = {
        "name": f"{random.choice(WORDS)} on offer",
        "price": random.randint(100, 9999) / 100,
        "categoryId": random.choice(categories),
        "stock": random.randint(1, STOCK),
    }
    made = yield request("products.create", "POST", "/products", seller, product)
    path, version = f"/products/{id_of(made)}", made.header("ETag")
    if not id_of(made):
        return
    if version:
        change = {"price": random.randint(100, 9999) / 100}
        yield request("products.update", "PATCH", path, seller, change, headers={"If-Match": version})
    yield request("products.delete", "DELETE", path, seller)


ROUTES = (Route("offer", 2, offer),)
