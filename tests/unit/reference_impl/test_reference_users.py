"""Accounts, roles, and who may see and change whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=-1", "limit=abc", "offset=-5", "offset=1.5", "limit="]
)
def test_bounds_of_a_page_of_users_hold(shop: Shop, query: str) -> None:
    """What is out of them is 400, never a longer list nor a fault."""
    assert shop.send("GET", f"/users?{query}", shop.admin).status_code == 400


def test_a_search_of_users_is_literal_and_blind_to_case(shop: Shop) -> None:
    """`%` and `_` stand for themselves, case folds in every script, a new name is found and the old is not."""
    names = ["100% Ada", "under_score", "ÉMILE Straße", "Plain"]
    accounts = [shop.account() for _ in names]
    for account, name in zip(accounts, names, strict=True):
        assert shop.send("PATCH", f"/users/{account.id}", account, json={"name": name}).status_code == 200

    def found(search: str) -> list[str]:
        answer = shop.send("GET", "/users", accounts[0], params={"search": search}).json()
        assert answer["pagination"]["total"] == len(answer["data"])
        return [one["name"] for one in answer["data"]]

    assert found("%") == ["100% Ada"]
    assert found("_") == ["under_score"]
    assert found("émile") == found("STRASSE") == ["ÉMILE Straße"]
    assert found("\\") == found("User") == []
    assert found("") == [*reversed(names), "Admin"]


def test_of_registrations_at_once_one_has_the_email(shop: Shop) -> None:
    """The others are told that it is taken."""
    emails = ["new@example.test", "NEW@example.test", "New@Example.test", "new@example.TEST"]
    answers = shop.together([("POST", "/auth/register", None, {"json": {**NEW, "email": one}}) for one in emails])
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]


def test_admins_who_shut_each_other_out_at_once_leave_one(shop: Shop) -> None:
    """Whichever way it goes, somebody can still rule the tenant."""
    other = shop.account("admin")
    roles = {"json": {"roles": ["user"]}}
    shop.together(
        [
            ("PATCH", f"/users/{other.id}/roles", shop.admin, dict(roles)),
            ("PATCH", f"/users/{shop.admin.id}/roles", other, dict(roles)),
        ]
    )
    assert 200 in [shop.send("GET", "/admin/stats", one).status_code for one in (shop.admin, other)]
