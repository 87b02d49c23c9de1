"""Reviews: one a user and product, shown with the product, deleted by their author or an admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx
    from conftest import Account, Shop


def review(shop: Shop, product_id: str, by: Account | None, **members: Any) -> httpx.Response:
    """Review a product."""
    return shop.send("POST", f"/products/{product_id}/reviews", by, json={"rating": 4, **members})


def test_a_review_is_made_read_and_listed(shop: Shop) -> None:
    """201 and Location, the same value by each way, and the product shows it at the next version."""
    user = shop.account()
    product_id = shop.product(shop.account("seller"))["id"]
    made = review(shop, product_id, user, rating=5, comment="Lovely")
    assert made.status_code == 201, made.text
    value = made.json()
    assert (value["userId"], value["productId"], value["rating"], value["comment"]) == (
        user.id,
        product_id,
        5,
        "Lovely",
    )
    assert made.headers["location"] == f"/api/v1/reviews/{value['id']}"
    assert shop.send("GET", made.headers["location"]).json() == value
    page = shop.send("GET", f"/products/{product_id}/reviews").json()
    assert page == {"items": [value], "total": 1, "page": 1, "pages": 1}
    seen = shop.send("GET", f"/products/{product_id}")
    assert (seen.json()["reviews"], seen.json()["version"], seen.headers["etag"]) == ([value], 2, '"2"')


def test_a_user_reviews_a_product_once(shop: Shop) -> None:
    """Of many at once one is kept; after its deletion there may be another; other products and users are free."""
    user = shop.account()
    product_id = shop.product(shop.account("seller"))["id"]
    path = f"/products/{product_id}/reviews"
    answers = shop.together([("POST", path, user, {"json": {"rating": n}}) for n in (1, 2, 3, 4)])
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    (kept,) = [answer.json() for answer in answers if answer.status_code == 201]
    assert shop.send("GET", f"/products/{product_id}").json()["version"] == 2
    assert shop.send("DELETE", f"/reviews/{kept['id']}", user).status_code == 204
    assert review(shop, product_id, user).status_code == 201
    assert review(shop, product_id, shop.account()).status_code == 201


@pytest.mark.parametrize(
    "body",
    [{"rating": 0}, {"rating": 6}, {"rating": 4.5}, {"rating": "5"}, {}, {"rating": 5, "userId": "x"}],
)
def test_what_is_no_review_is_refused(shop: Shop, body: dict[str, Any]) -> None:
    """One to five, whole, and nothing beside rating and comment."""
    user = shop.account()
    product_id = shop.product(shop.account("seller"))["id"]
    assert shop.send("POST", f"/products/{product_id}/reviews", user, json=body).status_code == 400
    assert shop.send("GET", f"/products/{product_id}").json()["version"] == 1


def test_its_author_or_an_admin_deletes_it(shop: Shop) -> None:
    """A stranger and the seller get 403, nobody 401, a second deletion 404; each deletion raises the version."""
    seller, user = shop.account("seller"), shop.account()
    product_id = shop.product(seller)["id"]
    path = f"/reviews/{review(shop, product_id, user).json()['id']}"
    assert shop.send("DELETE", path, shop.account()).status_code == 403
    assert shop.send("DELETE", path, seller).status_code == 403
    assert shop.send("DELETE", path).status_code == 401
    assert shop.send("DELETE", path, user).status_code == 204
    assert shop.send("DELETE", path, user).status_code == 404
    assert shop.send("GET", path).status_code == 404
    assert shop.send("GET", f"/products/{product_id}").json()["version"] == 3
    again = f"/reviews/{review(shop, product_id, user).json()['id']}"
    assert shop.send("DELETE", again, shop.admin).status_code == 204


def test_a_product_shows_its_five_newest(shop: Shop) -> None:
    """Newest first, the list has them all on its pages, and the product list has none."""
    product_id = shop.product(shop.account("seller"))["id"]
    made = [review(shop, product_id, shop.account()).json() for _ in range(7)][::-1]
    assert shop.send("GET", f"/products/{product_id}").json()["reviews"] == made[:5]
    pages = [shop.send("GET", f"/products/{product_id}/reviews?limit=3&page={n}").json() for n in (1, 2, 3, 4)]
    assert [item for page in pages for item in page["items"]] == made
    assert {(page["total"], page["pages"]) for page in pages} == {(7, 3)}
    assert "reviews" not in shop.send("GET", "/products").json()["items"][0]


def test_a_deleted_product_hides_its_reviews(shop: Shop) -> None:
    """They are not read, listed, made or deleted any more."""
    seller, user = shop.account("seller"), shop.account()
    product_id = shop.product(seller)["id"]
    path = f"/reviews/{review(shop, product_id, user).json()['id']}"
    assert shop.send("DELETE", f"/products/{product_id}", seller).status_code == 204
    assert shop.send("GET", path).status_code == 404
    assert shop.send("DELETE", path, user).status_code == 404
    assert shop.send("GET", f"/products/{product_id}/reviews").status_code == 404
    assert review(shop, product_id, shop.account()).status_code == 404


def test_reviews_leave_audit_and_event_rows(shop: Shop) -> None:
    """Who reviewed what stands in the audit log; subscribers of the product hear that it changed."""
    user = shop.account()
    product_id = shop.product(shop.account("seller"))["id"]
    made = review(shop, product_id, user).json()
    shop.send("DELETE", f"/reviews/{made['id']}", user)
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert database is not None
    audit = shop.runner.run(database.query("SELECT actor_id, action, subject_id FROM audit_log ORDER BY id"))
    assert audit[-2:] == [(user.id, "reviews.create", made["id"]), (user.id, "reviews.delete", made["id"])]
    events = shop.runner.run(database.query("SELECT type FROM events WHERE channel = 'products' ORDER BY id"))
    assert events == [("created",), ("updated",), ("updated",)]
