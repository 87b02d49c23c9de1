"""Accounts, roles, and who may see and change whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Shop

NEW = {"email": "new@example.test", "password": "12345678", "name": "New"}


def test_an_email_belongs_to_one_account(shop: Shop) -> None:
    """Case does not make another address; a deleted account's is free again."""
    made = shop.send("POST", "/users", shop.admin, json=NEW)
    assert made.status_code == 201
    assert shop.send("POST", "/auth/register", json={**NEW, "email": "NEW@example.test"}).status_code == 409
    other = shop.account()
    assert shop.send("PATCH", f"/users/{other.id}", other, json={"email": "new@Example.test"}).status_code == 409
    assert shop.send("DELETE", made.headers["location"], shop.admin).status_code == 204
    assert shop.send("POST", "/auth/register", json=NEW).status_code == 201


def test_email_and_roles_are_shown_to_self_and_admin_only(shop: Shop) -> None:
    """Others see id and name; nobody sees a hash."""
    one, other = shop.account(), shop.account()
    seen = {
        who: set(shop.send("GET", f"/users/{one.id}", by).json())
        for who, by in (("self", one), ("other", other), ("admin", shop.admin))
    }
    public = {"id", "name", "createdAt", "updatedAt"}
    assert seen == {
        "self": public | {"email", "roles", "status"},
        "other": public,
        "admin": public | {"email", "roles", "status"},
    }
    listed = shop.send("GET", "/users?search=user1@", other).json()
    assert listed == {"data": [], "pagination": {"total": 0, "limit": 20, "offset": 0}}
    assert shop.send("GET", "/users?search=user1@", shop.admin).json()["pagination"]["total"] == 1
    assert shop.send("GET", "/users?offset=50", other).json()["pagination"] == {"total": 3, "limit": 20, "offset": 50}


def test_a_record_is_changed_by_self_and_admin_only(shop: Shop) -> None:
    """Strangers get 403, an empty patch 400, an unknown user 404."""
    one, other = shop.account(), shop.account()
    path = f"/users/{one.id}"
    assert shop.send("PATCH", path, other, json={"name": "X"}).status_code == 403
    assert shop.send("DELETE", path, other).status_code == 403
    assert shop.send("PATCH", path, one, json={}).status_code == 400
    assert shop.send("PATCH", path, one, json={"roles": ["admin"]}).status_code == 400
    assert shop.send("PATCH", path, one, json={"name": "X"}).json()["name"] == "X"
    assert shop.send("PATCH", path, shop.admin, json={"name": "Y"}).json()["name"] == "Y"
    assert shop.send("PATCH", "/users/none", shop.admin, json={"name": "Y"}).status_code == 404


def test_a_deleted_user_is_out_and_their_orders_stay(shop: Shop) -> None:
    """The session ends at once, login fails, the order is still there for an admin."""
    product = shop.product(shop.account("seller"))
    buyer = shop.account()
    order = shop.order(buyer, (product["id"], 1)).json()
    assert shop.send("DELETE", f"/users/{buyer.id}", buyer).status_code == 204
    assert shop.send("GET", "/auth/me", buyer).status_code == 401
    assert shop.send("GET", f"/users/{buyer.id}", shop.admin).status_code == 404
    assert shop.send("DELETE", f"/users/{buyer.id}", shop.admin).status_code == 404
    assert shop.send("GET", f"/orders/{order['id']}", shop.admin).status_code == 200


def test_logout_ends_this_session_only(shop: Shop) -> None:
    """The token is 401 from then on; another session of the user lives."""
    first = shop.account()
    second = shop.login("user1@example.test")
    assert shop.send("POST", "/auth/logout", first).status_code == 204
    assert shop.send("GET", "/auth/me", first).status_code == 401
    assert shop.send("GET", "/auth/me", second).json()["id"] == first.id


def test_a_role_change_is_effective_on_the_next_request(shop: Shop) -> None:
    """The same token may create once it is a seller's, and no more when it is not."""
    account = shop.account()
    body = {"name": "A", "price": 1, "categoryId": shop.category()}

    def create() -> int:
        return shop.send("POST", "/products", account, json=body).status_code

    def give(*roles: str) -> list[str]:
        answer = shop.send("PATCH", f"/users/{account.id}/roles", shop.admin, json={"roles": list(roles)})
        return list(answer.json()["roles"])

    assert create() == 403
    assert give("seller", "seller") == ["user", "seller"]
    assert create() == 201
    assert give("user") == ["user"]
    assert create() == 403
    assert shop.send("PATCH", f"/users/{account.id}/roles", account, json={"roles": ["admin"]}).status_code == 403


def test_no_admin_shuts_themself_out(shop: Shop) -> None:
    """Deleting or demoting oneself as an admin is 409; another admin may do it."""
    path = f"/users/{shop.admin.id}"
    assert shop.send("DELETE", path, shop.admin).status_code == 409
    assert shop.send("PATCH", f"{path}/roles", shop.admin, json={"roles": ["user"]}).status_code == 409
    assert shop.send("DELETE", path, shop.account("admin")).status_code == 204
