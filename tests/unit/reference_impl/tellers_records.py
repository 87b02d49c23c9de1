"""How a defect of the catalogue's records, of versions and of what admins see is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop

ABSENT = "01980000-0000-7000-8000-000000000000"


def edited(shop: Shop, *edits: dict[str, Any], together: bool = False) -> list[int]:
    """Send edits of one new product and return the statuses."""
    seller = shop.account("seller")
    path = f"/products/{shop.product(seller)['id']}"
    if together:
        answers = shop.together([("PATCH", path, seller, dict(edit)) for edit in edits])
        return [answer.status_code for answer in answers]
    return [shop.send("PATCH", path, seller, **edit).status_code for edit in edits]


def stale_tag(shop: Shop) -> bool:
    """Tell C5b: the second edit by one tag is 409."""
    edit: dict[str, Any] = {"json": {"name": "A"}, "headers": {"If-Match": '"1"'}}
    return edited(shop, edit, {**edit}) == [200, 409]


def two_winners(shop: Shop) -> bool:
    """Tell C5c: two edits of one version at one instant both succeed."""
    edits = [{"json": {"name": name, "version": 1}} for name in "AB"]
    return edited(shop, *edits, together=True) == [200, 200]


def not_raised(shop: Shop) -> bool:
    """Tell C5e: two changes of the stock by one version both succeed."""
    return edited(shop, *[{"json": {"stock": stock, "version": 1}} for stock in (1, 2)]) == [200, 200]


def bounds_mixed(shop: Shop) -> bool:
    """Tell C2a: the second bound is answered with the first one's list."""
    shop.product(shop.account("seller"), price=5)
    totals = [shop.send("GET", f"/products?minPrice={bound}").json()["total"] for bound in (1, 9)]
    return totals == [1, 1]


def seen_once(shop: Shop) -> bool:
    """Tell C3a: the second read is refused."""
    path, buyer = f"/products/{shop.product(shop.account('seller'))['id']}", shop.account()
    return [shop.send("GET", path, buyer).status_code for _ in range(2)] == [200, 409]


def tenth_left_out(shop: Shop) -> bool:
    """Tell C7a: of ten products nine are updated and none failed."""
    seller, category = shop.account("seller"), shop.category()
    ids = [shop.product(seller, categoryId=category)["id"] for _ in range(10)]
    answer = shop.send("POST", "/bulk/products", shop.admin, json={"ids": ids, "discount": 1})
    return bool(answer.json() == {"updated": 9, "failed": []})


def deleted_in_use(shop: Shop) -> bool:
    """Tell C10b: a category with a product is deleted, and the product is on no list."""
    category = shop.product(shop.account("seller"))["category"]["id"]
    deleted = shop.send("DELETE", f"/categories/{category}", shop.admin).status_code
    return deleted == 204 and shop.send("GET", "/products").json()["items"] == []


def reviewed(shop: Shop, rating: int = 5) -> Any:
    """Review a new product and return the answer."""
    path = f"/products/{shop.product(shop.account('seller'))['id']}/reviews"
    return shop.send("POST", path, shop.account(), json={"rating": rating})


def all_counted(shop: Shop) -> bool:
    """Tell C10d: a product without reviews has one."""
    reviewed(shop)
    product_id = shop.product(shop.account("seller"))["id"]
    return bool(shop.send("GET", f"/products/{product_id}/reviews").json()["total"] == 1)


def crowded(shop: Shop) -> bool:
    """Tell E5a: behind so many refusals an order that is right is a 500."""
    product_id = shop.product(shop.account("seller"))["id"]
    for _ in range(4):
        buyer = shop.account()
        for _ in range(8):
            assert shop.order(buyer, (ABSENT, 1)).status_code == 400
    return shop.order(shop.account(), (product_id, 1)).status_code == 500


def swapped(shop: Shop) -> bool:
    """Tell D6a: nothing is told of a category by its id."""
    path = f"/admin/audit?subjectId={shop.category()}"
    return bool(shop.send("GET", path, shop.admin).json()["pagination"]["total"] == 0)


def one_filter(shop: Shop) -> bool:
    """Tell D6b: with an action told, the subject filters nothing."""
    shop.category()
    path = f"/admin/audit?action=categories.create&subjectId={ABSENT}"
    return bool(shop.send("GET", path, shop.admin).json()["pagination"]["total"] == 1)


def untold(shop: Shop) -> bool:
    """Tell D6c: a draft is told of, and its publish is not."""
    author = shop.account()
    post = shop.send("POST", "/posts", author, json={"title": "A", "content": "B"}).json()
    assert shop.send("PUT", f"/posts/{post['id']}/publish", author).status_code == 200
    told = shop.send("GET", f"/admin/audit?subjectId={post['id']}", shop.admin).json()["data"]
    return [entry["action"] for entry in told] == ["posts.create"]


def told_of_another(shop: Shop) -> bool:
    """Tell D6d: who was made a seller is told as who did it."""
    user = shop.account("seller")
    told = shop.send("GET", f"/admin/audit?subjectId={user.id}&action=users.roles", shop.admin).json()["data"]
    return [entry["actorId"] for entry in told] == [user.id]


def held_for_all(shop: Shop) -> bool:
    """Tell D7b: another tenant's shop has this one's name."""
    shop.send("PATCH", "/settings", shop.admin, json={"shopName": "Alpha's own"})
    body = {"email": "admin@example.test", "password": "correct horse battery"}
    there = {"X-Tenant-ID": "beta"}
    token = shop.send("POST", "/auth/login", json=body, headers=there).json()["accessToken"]
    answer = shop.send("GET", "/settings", headers={**there, "Authorization": f"Bearer {token}"})
    return bool(answer.json()["shopName"] == "Alpha's own")


def prefix_first(shop: Shop) -> bool:
    """Tell E1b: a tenant that is not there, told by the path, wins over one that is, told by the header."""
    return shop.send("GET", "/t/nowhere/api/v1/products", headers={"X-Tenant-ID": "beta"}).status_code == 404


TELLERS: dict[str, Callable[[Shop], bool]] = {
    "C2a": bounds_mixed,
    "C3a": seen_once,
    "C5a": lambda shop: edited(shop, {"json": {"name": "A"}}) == [200],
    "C5b": stale_tag,
    "C5c": two_winners,
    "C5e": not_raised,
    "C7a": tenth_left_out,
    "C10a": lambda shop: shop.send("GET", "/categories?page=9").status_code == 404,
    "C10b": deleted_in_use,
    "C10c": lambda shop: reviewed(shop, 0).status_code == 201,
    "C10d": all_counted,
    "D1b": lambda shop: shop.send("PATCH", f"/users/{shop.admin.id}", shop.admin, json={}).status_code == 200,
    "D3f": lambda shop: shop.order(shop.account()).status_code == 201,
    "D6a": swapped,
    "D6b": one_filter,
    "D6c": untold,
    "D6d": told_of_another,
    "D7a": lambda shop: shop.send("GET", "/settings", shop.account()).status_code == 403,
    "D7b": held_for_all,
    "E1b": prefix_first,
    "E1c": lambda shop: shop.send("GET", "/products", headers={"X-Tenant-ID": "nowhere"}).status_code == 200,
    "E5a": crowded,
}
