"""Cached lists: what is kept, for whom, and what makes it forgotten."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from reference_impl.procedures.catalogue import PROCEDURES

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Account, Shop

LISTS = ("/products?limit=100", "/categories?limit=100")
AGE = "UPDATE products SET name = 'Changed behind the back' WHERE id = ?"


def names(shop: Shop, path: str = "/products", **options: object) -> list[str]:
    """Return the names that a list shows."""
    return [item["name"] for item in shop.send("GET", path, **options).json()["items"]]  # type: ignore[arg-type]  # passed on


@pytest.fixture
def seller(shop: Shop) -> Account:
    """A seller of the shop."""
    return shop.account("seller")


def test_a_list_is_kept(shop: Shop, seller: Account) -> None:
    """What changes behind the API's back is not seen while the list is fresh; another query asks anew."""
    product = shop.product(seller)
    assert names(shop) == ["Walnut bowl"]
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert database is not None
    shop.runner.run(database.run(AGE, product["id"]))
    assert names(shop) == ["Walnut bowl"]
    assert names(shop, "/products?limit=19") == ["Changed behind the back"]


def picture() -> bytes:
    """A small PNG file."""
    file = BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    return file.getvalue()


PNG = picture()


def review(shop: Shop, user: Account, product: dict[str, str]) -> str:
    """Return the id of a new review."""
    made = shop.send("POST", f"/products/{product['id']}/reviews", user, json={"rating": 5})
    return str(made.json()["id"])


WRITES: dict[str, Callable[[Shop, Account, dict[str, str]], tuple[str, str, object]]] = {
    "products.create": lambda shop, seller, _: (
        "POST",
        "/products",
        {"by": seller, "json": {"name": "New", "price": 1, "categoryId": shop.category("New category")}},
    ),
    "products.update": lambda _, seller, product: (
        "PATCH",
        f"/products/{product['id']}",
        {"by": seller, "json": {"name": "Other", "version": 1}},
    ),
    "products.delete": lambda _, seller, product: ("DELETE", f"/products/{product['id']}", {"by": seller}),
    "products.uploadImage": lambda _, seller, product: (
        "POST",
        f"/products/{product['id']}/images",
        {"by": seller, "files": {"image": ("a.png", PNG)}},
    ),
    "products.batchUpdate": lambda shop, _, product: (
        "POST",
        "/bulk/products",
        {"by": shop.admin, "json": {"ids": [product["id"]], "discount": 10}},
    ),
    "reviews.create": lambda _, seller, product: (
        "POST",
        f"/products/{product['id']}/reviews",
        {"by": seller, "json": {"rating": 5}},
    ),
    "reviews.delete": lambda shop, seller, product: (
        "DELETE",
        f"/reviews/{review(shop, seller, product)}",
        {"by": seller},
    ),
    "orders.create": lambda _, seller, product: (
        "POST",
        "/orders",
        {"by": seller, "json": {"items": [{"productId": product["id"], "quantity": 1}]}},
    ),
    "orders.cancel": lambda shop, seller, product: (
        "POST",
        f"/orders/{shop.order(seller, (product['id'], 2)).json()['id']}/cancel",
        {"by": seller},
    ),
    "categories.create": lambda shop, _seller, _product: (
        "POST",
        "/categories",
        {"by": shop.admin, "json": {"name": "Fresh"}},
    ),
    "categories.update": lambda shop, _seller, product: (
        "PATCH",
        f"/categories/{product['category']['id']}",  # type: ignore[index]  # a JSON value
        {"by": shop.admin, "json": {"name": "Renamed"}},
    ),
    "categories.delete": lambda shop, _seller, _product: (
        "DELETE",
        f"/categories/{shop.category('Empty')}",
        {"by": shop.admin},
    ),
}


@pytest.mark.parametrize("operation", WRITES)
def test_after_a_write_every_list_shows_it(shop: Shop, seller: Account, operation: str) -> None:
    """Each write's answer comes after the lists it touches were forgotten: what is listed is what the rows say."""
    product = shop.product(seller, categoryId=shop.category("First"))
    method, path, options = WRITES[operation](shop, seller, product)
    before = [shop.send("GET", path).json() for path in LISTS]
    assert shop.send(method, path, **options).is_success  # type: ignore[arg-type]  # names of the helper
    after = [shop.send("GET", path).json() for path in LISTS]
    assert before != after
    fresh = [shop.send("GET", f"{path[:-3]}99").json() for path in LISTS]
    assert after == fresh


def test_a_list_is_its_tenants_own(shop: Shop, seller: Account) -> None:
    """The same query in another tenant finds that tenant's rows (S06)."""
    shop.product(seller)
    assert names(shop) == ["Walnut bowl"]
    assert names(shop, headers={"X-Tenant-ID": "beta"}) == []
    assert names(shop, "/t/beta/api/v1/products") == []


def test_a_list_and_a_change_at_once(shop: Shop, seller: Account) -> None:
    """However lists and writes are interleaved, a list asked for after a write's answer shows it."""
    for step in range(5):
        body = {"name": f"Bowl {step}", "price": 1, "categoryId": shop.category(f"Category {step}")}
        lists = [("GET", "/products", None, {})] * 3
        shop.together([*lists, ("POST", "/products", seller, {"json": body}), *lists])
        assert f"Bowl {step}" in names(shop)


def test_only_what_anyone_sees_alike_is_cached() -> None:
    """No list that depends on the caller is kept for another."""
    assert [procedure.id for procedure in PROCEDURES if procedure.cached and not procedure.access.open] == []


def test_what_shows_in_a_cached_list_is_declared_by_its_writes() -> None:
    """Each family that is named by a write is one that a list is kept under."""
    kept = {procedure.cached for procedure in PROCEDURES if procedure.cached}
    assert {family for procedure in PROCEDURES for family in procedure.changes} == kept


def test_no_write_of_what_a_cached_list_shows_forgets_to_say_so() -> None:
    """Every write under the paths of products, categories, orders and reviews declares the lists it changes."""
    shown = ("/products", "/categories", "/orders", "/reviews")
    writes = [procedure for procedure in PROCEDURES if procedure.method != "GET" and procedure.path.startswith(shown)]
    silent = [procedure.id for procedure in writes if not procedure.changes]
    assert silent == []
    assert len(writes) > 5
