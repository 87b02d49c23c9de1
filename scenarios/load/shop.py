"""Journeys through the shop: customers browse pages and filters, walk an aisle, read a product and order some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from harness.load.journey import Route
from scenarios.load.ground import WORDS
from scenarios.load.request import CONFLICT, items_of, request

if TYPE_CHECKING:
    from random import Random

    from harness.load.journey import Journey, Step, Visit

PAGES = 3


def browse(visit: Visit) -> Journey[None]:
    """Looks at a page or two of the list, and after each at one product: of the page, where one of it is to stay."""
    stays = visit.ground.facts["products"]
    for _ in range(visit.random.randint(1, 2)):
        page = yield request("products.list", "GET", f"/products?{_query(visit.random)}", visit.identity)
        found = [item["id"] for item in items_of(page) if item.get("id") in stays] or stays
        if found:
            product = visit.random.choice(found)
            yield request("products.get", "GET", f"/products/{product}", visit.identity)


def aisle(visit: Visit) -> Journey[None]:
    """Looks at the categories, at one of them, and at its products."""
    yield request("categories.list", "GET", "/categories?limit=20", visit.identity)
    categories = visit.ground.facts["categories"]
    if categories:
        category = visit.random.choice(categories)
        yield request("categories.get", "GET", f"/categories/{category}", visit.identity)
        yield request("products.list", "GET", f"/products?limit=20&category={category}", visit.identity)


def order(visit: Visit) -> Journey[None]:
    """Reads one product and orders one or two of it; sold out is an answer, not a fault."""
    products = visit.ground.facts["products"]
    if not products:
        yield request("products.list", "GET", "/products", visit.identity)
        return
    product = visit.random.choice(products)
    yield request("products.get", "GET", f"/products/{product}", visit.identity)
    yield ordering(visit, product)


def ordering(visit: Visit, product: str) -> Step:
    """The step that orders one or two of a product."""
    line = {"productId": product, "quantity": visit.random.randint(1, 2)}
    expected = frozenset({CONFLICT})
    return request("orders.create", "POST", "/orders", visit.identity, {"items": [line]}, expected=expected)


ROUTES = (Route("browse", 8, browse), Route("aisle", 2, aisle), Route("order", 5, order))


def _query(random: Random) -> str:
    query: dict[str, Any] = {"page": random.randint(1, PAGES), "limit": random.choice((10, 20, 50))}
    chance = random.random()
    if chance < 0.2:  # noqa: PLR2004 - a fifth searches, a fifth bounds the price, a fifth sorts
        query = {"limit": 20, "search": random.choice(WORDS)}
    elif chance < 0.4:  # noqa: PLR2004 - same
        query["minPrice"], query["maxPrice"] = random.randint(0, 10), random.randint(10, 100)
    elif chance < 0.6:  # noqa: PLR2004 - same
        query["sortBy"], query["sortOrder"] = random.choice(("price", "createdAt")), random.choice(("asc", "desc"))
    return urlencode(query)
