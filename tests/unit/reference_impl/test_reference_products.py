"""Products: versions, ownership, deletion, lists."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from reference_impl.clock import rfc3339

if TYPE_CHECKING:
    from conftest import Shop


def test_one_of_many_concurrent_edits_of_a_version_wins(shop: Shop) -> None:
    """The others are refused, and the product is the winner's body at the next version."""
    seller = shop.account("seller")
    path = f"/products/{shop.product(seller)['id']}"
    edits = [("PATCH", path, seller, {"json": {"name": f"Name {n}", "version": 1}}) for n in range(8)]
    answers = shop.together(edits)
    won = [answer.json() for answer in answers if answer.status_code == 200]
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert shop.send("GET", path).json() == won[0]
    assert won[0]["version"] == 2


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, {"name": "B"}, 428),
        ({"If-Match": "*"}, {"name": "B"}, 428),
        ({"If-Match": '"9"'}, {"name": "B"}, 412),
        ({"If-Match": 'W/"1"'}, {"name": "B"}, 412),
        ({"If-Match": "1"}, {"name": "B"}, 400),
        ({"If-Match": '"1", "2"'}, {"name": "B"}, 400),
        ({}, {"name": "B", "version": 9}, 409),
        ({"If-Match": '"1"'}, {"name": "B", "version": 2}, 400),
        ({"If-Match": '"1"'}, {"name": "B", "version": 1}, 200),
        ({"If-Match": '"1"'}, {}, 400),
        ({"If-Match": '"1"'}, {"categoryId": "01980000-0000-7000-8000-000000000000"}, 400),
    ],
)
def test_the_version_seen_decides(shop: Shop, headers: dict[str, str], body: dict[str, object], status: int) -> None:
    """Missing, stale, weak, malformed and unequal versions are told apart."""
    seller = shop.account("seller")
    path = f"/products/{shop.product(seller)['id']}"
    assert shop.send("PATCH", path, seller, headers=headers, json=body).status_code == status


def test_strangers_are_refused_and_admins_are_not(shop: Shop) -> None:
    """Another seller gets 403 on a product it can see; an admin may change it."""
    path = f"/products/{shop.product(shop.account('seller'))['id']}"
    stranger = shop.account("seller")
    assert shop.send("PATCH", path, stranger, json={"name": "B", "version": 1}).status_code == 403
    assert shop.send("DELETE", path, stranger).status_code == 403
    assert shop.send("PATCH", path, shop.admin, json={"name": "B", "version": 1}).status_code == 200
    assert shop.send("DELETE", path, shop.admin).status_code == 204


def test_a_deleted_product_is_nowhere(shop: Shop) -> None:
    """It is not read, listed, changed or deleted again, and its category is free."""
    seller = shop.account("seller")
    product = shop.product(seller)
    path = f"/products/{product['id']}"
    assert shop.send("DELETE", f"/categories/{product['category']['id']}", shop.admin).status_code == 409
    assert shop.send("DELETE", path, seller).status_code == 204
    assert shop.send("GET", path).status_code == 404
    assert shop.send("PATCH", path, seller, json={"name": "B", "version": 1}).status_code == 404
    assert shop.send("DELETE", path, seller).status_code == 404
    assert shop.send("GET", "/products").json()["total"] == 0
    assert shop.send("DELETE", f"/categories/{product['category']['id']}", shop.admin).status_code == 204


def test_the_list_filters_sorts_and_counts_the_same(shop: Shop) -> None:
    """Totals count the filter, `%` is literal, order is stable, pages join without a gap."""
    seller = shop.account("seller")
    category = shop.category()
    for name, price in (("100% wool", 3), ("Plain", 1), ("Oak", 2)):
        shop.product(seller, name=name, price=price, categoryId=category)
    shop.product(seller, name="Elsewhere", price=9)

    def names(query: str) -> list[str]:
        page = shop.send("GET", f"/products?{query}").json()
        return [str(page["total"]), *(item["name"] for item in page["items"])]

    assert names("search=%25") == ["1", "100% wool"]
    assert names("search=%0A") == ["0"]
    assert names(f"category={category}&sortBy=price&sortOrder=asc") == ["3", "Plain", "Oak", "100% wool"]
    assert names("minPrice=2&maxPrice=3.00&sortBy=price&sortOrder=desc") == ["2", "100% wool", "Oak"]
    assert names("limit=3&sortBy=createdAt&sortOrder=asc")[1:] + names("limit=3&page=2&sortOrder=asc")[1:] == [
        "100% wool",
        "Plain",
        "Oak",
        "Elsewhere",
    ]
    assert names("page=7") == ["4"]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("by", ["price", "createdAt"])
def test_products_of_one_price_stand_on_one_page_each(shop: Shop, by: str, order: str) -> None:
    """Pages join to the whole list though nothing but ids tells its products apart."""
    seller = shop.account("seller")
    category = shop.category()
    made = {shop.product(seller, categoryId=category)["id"] for _ in range(7)}
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert database is not None
    shop.runner.run(database.run("UPDATE products SET created_at = '2026-01-31T12:00:00.000Z'"))
    found = []
    for page in (1, 2, 3, 4):
        query = f"limit=2&page={page}&sortBy={by}&sortOrder={order}"
        found += [item["id"] for item in shop.send("GET", f"/products?{query}").json()["items"]]
    assert found == sorted(made, reverse=order == "desc")


def test_slugs_are_unique_and_images_are_kept(shop: Shop) -> None:
    """Two products of one name have two slugs; images come back in order."""
    seller = shop.account("seller")
    images = ["https://a.test/2", "https://a.test/1"]
    first, second = shop.product(seller, name="Böwl!", images=images), shop.product(seller, name="Böwl!")
    shown = [{"url": url, "thumbnailUrl": url} for url in images]
    assert (first["slug"], first["images"], second["images"]) == ("bowl", shown, [])
    assert second["slug"].startswith("bowl-")
    assert shop.send("GET", f"/products/{first['id']}").json() == first


def test_a_new_category_name_is_a_change_of_its_products(shop: Shop) -> None:
    """What GET shows changed, so version and ETag rise."""
    product = shop.product(shop.account("seller"))
    renamed = shop.send("PATCH", f"/categories/{product['category']['id']}", shop.admin, json={"name": "Plates"})
    assert renamed.status_code == 200
    seen = shop.send("GET", f"/products/{product['id']}")
    assert (seen.json()["category"]["name"], seen.headers["etag"]) == ("Plates", '"2"')


def test_a_write_leaves_its_audit_and_event_rows(shop: Shop) -> None:
    """Create, update and delete stand in both, in order; a refused write stands in neither."""
    seller = shop.account("seller")
    product = shop.product(seller)
    path = f"/products/{product['id']}"
    shop.send("PATCH", path, seller, json={"name": "B", "version": 7})
    shop.send("PATCH", path, seller, json={"name": "B", "version": 1})
    shop.send("DELETE", path, seller)
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert database is not None
    audit = shop.runner.run(
        database.query("SELECT actor_id, action, subject_id FROM audit_log WHERE action LIKE 'products.%' ORDER BY id")
    )
    events = shop.runner.run(database.query("SELECT type, data FROM events WHERE channel = 'products' ORDER BY id"))
    actions = ["products.create", "products.update", "products.delete"]
    assert audit == [(seller.id, action, product["id"]) for action in actions]
    assert [kind for kind, _ in events] == ["created", "updated", "deleted"]
    assert {json.loads(data)["id"] for _, data in events} == {product["id"]}


def test_a_signed_in_user_has_seen_a_product_once(shop: Shop) -> None:
    """One row a user and product; within a minute it is left alone, later it is renewed; nobody's visit is no row."""
    seller = shop.account("seller")
    path = f"/products/{shop.product(seller)['id']}"
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert database is not None

    def viewed() -> dict[str, str]:
        return dict(shop.runner.run(database.query("SELECT user_id, viewed_at FROM product_views")))

    def aged(seconds: int) -> str:
        at = rfc3339(time.time() - seconds)
        shop.runner.run(database.run("UPDATE product_views SET viewed_at = ?", at))
        return at

    assert shop.send("GET", path).status_code == 200
    assert viewed() == {}
    answers = shop.together([("GET", path, seller, {})] * 3)
    assert {answer.status_code for answer in answers} == {200}
    assert list(viewed()) == [seller.id]
    young = aged(30)
    shop.send("GET", path, seller)
    assert viewed() == {seller.id: young}
    old = aged(90)
    shop.send("GET", path, seller)
    assert viewed()[seller.id] > old
    assert shop.send("GET", path).json()["version"] == 1


@pytest.mark.parametrize(
    ("asked", "status"),
    [('"1"', 304), ('W/"1"', 304), ('"7", "1"', 304), ("*", 304), ('"2"', 200), ("1", 200), ("", 200)],
)
def test_what_the_client_has_is_not_sent_again(shop: Shop, asked: str, status: int) -> None:
    """If-None-Match with the present tag is 304 without a body; any other is the product."""
    product = shop.product(shop.account("seller"))
    answer = shop.send("GET", f"/products/{product['id']}", headers={"If-None-Match": asked})
    assert (answer.status_code, answer.headers["etag"]) == (status, '"1"')
    assert answer.content == b"" if status == 304 else answer.json() == product
    assert shop.send("GET", "/products/01980000-0000-7000-8000-000000000000", headers={"If-None-Match": "*"}).is_error


def test_products_of_one_name_at_once_have_slugs_of_their_own(shop: Shop) -> None:
    """Whoever comes second gets a suffix; nobody is refused."""
    seller = shop.account("seller")
    body = {"name": "Walnut bowl", "price": 1, "categoryId": shop.category()}
    answers = shop.together([("POST", "/products", seller, {"json": body}) for _ in range(8)])
    assert [answer.status_code for answer in answers] == [201] * 8
    slugs = {answer.json()["slug"] for answer in answers}
    assert len(slugs) == 8
    assert "walnut-bowl" in slugs


def test_a_deleted_product_is_not_orderable(shop: Shop) -> None:
    """An order of it is refused, and an order from before can still be cancelled."""
    seller = shop.account("seller")
    product = shop.product(seller)
    order = shop.order(seller, (product["id"], 1)).json()
    assert shop.send("DELETE", f"/products/{product['id']}", seller).status_code == 204
    assert shop.order(seller, (product["id"], 1)).status_code == 400
    assert shop.send("POST", f"/orders/{order['id']}/cancel", seller).status_code == 200
