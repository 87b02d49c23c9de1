"""How a defect of lists is told: what a list shows with it planted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.unit.reference_impl import tellers_deletes

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop


def never_listed(shop: Shop) -> bool:
    """Tell S04: a product just made is not in the list."""
    shop.product(shop.account("seller"))
    return len(shop.send("GET", "/products").json()["items"]) == 0


def priced(shop: Shop, query: str, *prices: float) -> Any:
    """Make a product of each price in one category, and return that category's list with the query."""
    seller, category = shop.account("seller"), shop.category()
    for price in prices:
        body = {"name": f"Bowl {price}", "price": price, "categoryId": category}
        assert shop.send("POST", "/products", seller, json=body).status_code == 201
    return shop.send("GET", f"/products?category={category}&{query}").json()


def prices_of(page: Any) -> list[float]:
    """The prices of a page's products."""
    return [item["price"] for item in page["items"]]


def unfiltered_total(shop: Shop) -> bool:
    """Tell S05: the total counts other categories too."""
    shop.product(shop.account("seller"))
    return priced(shop, "", 1)["total"] == 2


def wild_search(shop: Shop) -> bool:
    """Tell S36: `%` finds everybody."""
    return shop.send("GET", "/users?search=%25", shop.admin).json()["pagination"]["total"] > 0


def unbounded_batch(shop: Shop) -> bool:
    """Tell S52: a hundred and one ids are taken."""
    ids = [f"01980000-0000-7000-8000-{number:012}" for number in range(101)]
    answer = shop.send("POST", "/bulk/products", shop.admin, json={"ids": ids, "discount": 1})
    return answer.status_code == 200


def late_page(shop: Shop) -> bool:
    """Tell L01: a product falls between two pages."""
    found = priced(shop, "limit=1&sortBy=price&sortOrder=asc&page=2", 1, 2, 3)
    return prices_of(found) == [3]


def sorted_by_price(shop: Shop) -> bool:
    """Tell L07: the cheapest is not on the first page."""
    return prices_of(priced(shop, "limit=1&sortBy=price&sortOrder=asc", 1, 2, 3)) != [1]


def shuffled(shop: Shop) -> bool:
    """Tell L06: equal prices change places."""
    seller, category = shop.account("seller"), shop.category()
    for number in range(6):
        body = {"name": f"Bowl {number}", "price": 1, "categoryId": category}
        shop.send("POST", "/products", seller, json=body)
    path = f"/products?category={category}&sortBy=price&limit="
    seen = {
        tuple(item["id"] for item in shop.send("GET", f"{path}{size}").json()["items"])[:6] for size in range(6, 12)
    }
    return len(seen) > 1


TELLERS: dict[str, Callable[[Shop], bool]] = {
    **tellers_deletes.TELLERS,
    "S04": never_listed,
    "S05": unfiltered_total,
    "S36": wild_search,
    "S52": unbounded_batch,
    "L01": late_page,
    "L02": lambda shop: priced(shop, "limit=2", 1, 2, 3)["pages"] == 1,
    "L03": lambda shop: prices_of(priced(shop, "minPrice=2", 1, 2)) == [],
    "L04": lambda shop: prices_of(priced(shop, "minPrice=9", 10)) == [],
    "L05": lambda shop: prices_of(priced(shop, "sortBy=price&sortOrder=asc", 9, 10)) == [10, 9],
    "L06": shuffled,
    "L07": sorted_by_price,
}
