"""For admins: counts that are exact, a log that only grows, settings of the tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reference_impl.data.database import DatabaseError
from reference_impl.procedures.admin import STATS

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop

    from reference_impl.data.database import Database

BUYER = "INSERT INTO users (id, email, name, roles, created_at, updated_at) VALUES ('u', 'e', 'n', '[]', '', '')"
# Every sixth is cancelled.
ORDERS = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000)
INSERT INTO orders (id, user_id, status, total_cents, created_at)
SELECT 'an order with an id as long as those are ' || n, 'u',
CASE WHEN n % 6 = 0 THEN 'cancelled' ELSE 'placed' END, n, '2026-11-21T10:00:00.000Z' FROM numbers
"""
PASSWORD = "correct horse battery"


def audit(shop: Shop, query: str = "") -> dict[str, Any]:
    """A page of the log."""
    answer = shop.send("GET", f"/admin/audit{query}", shop.admin)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_counts_are_exact(shop: Shop) -> None:
    """Each is what was made less what was deleted, in this tenant; revenue is that of orders not cancelled."""
    seller, buyer, gone, out = shop.account("seller"), shop.account(), shop.account(), shop.account()
    product = shop.product(seller, price=19.99, stock=9)
    deleted = shop.product(seller)
    for reviewed, by in ((product, buyer), (product, gone), (deleted, buyer)):
        assert shop.send("POST", f"/products/{reviewed['id']}/reviews", by, json={"rating": 4}).status_code == 201
    shop.send("DELETE", f"/products/{deleted['id']}", seller)
    shop.order(buyer, (product["id"], 3))
    cancelled = shop.order(buyer, (product["id"], 1)).json()
    shop.send("POST", f"/orders/{cancelled['id']}/cancel", buyer)
    for author in (buyer, buyer, gone):
        shop.send("POST", "/posts", author, json={"title": "A", "content": "B"})
    post = shop.send("POST", "/posts", buyer, json={"title": "A", "content": "B"}).json()
    shop.send("PUT", f"/posts/{post['id']}/publish", buyer)
    shop.send("DELETE", f"/users/{gone.id}", gone)
    shut = shop.account()
    shop.send("PATCH", "/bulk/users/status", shop.admin, json={"ids": [out.id, shut.id], "status": "suspended"})
    shop.send("DELETE", f"/users/{shut.id}", shop.admin)
    assert shop.send("GET", "/admin/stats", shop.admin).json() == {
        "users": 4,
        "suspendedUsers": 1,
        "categories": 2,
        "products": 1,
        "reviews": 2,
        "placedOrders": 1,
        "cancelledOrders": 1,
        "publishedPosts": 1,
        "drafts": 2,
        "revenue": 59.97,
    }


def test_counting_reads_indexes_and_no_order(on_database: Callable[..., Any], engine: str) -> None:
    """The plan of the counts on a shop with orders: orders are counted and summed from indexes alone."""

    async def work(database: Database) -> str:
        await database.run(BUYER)
        await database.run(ORDERS)
        if engine == "postgresql":
            await database.run("VACUUM ANALYZE orders")
        told = "EXPLAIN QUERY PLAN " if engine == "sqlite" else "EXPLAIN (COSTS OFF) "
        return "\n".join(str(row[-1]) for row in await database.query(told + STATS))

    plan = on_database(work)
    wanted = {
        "sqlite": ["orders USING COVERING INDEX orders_placed", "orders USING COVERING INDEX orders_cancelled"],
        "postgresql": ["Index Only Scan using orders_placed", "Index Only Scan using orders_cancelled"],
    }[engine]
    assert [line for line in wanted if line not in plan] == [], plan
    assert "SCAN orders\n" not in plan
    assert "Seq Scan on orders" not in plan


@pytest.mark.parametrize("path", ["/admin/stats", "/admin/audit"])
def test_only_admins_are_shown(shop: Shop, path: str) -> None:
    """Nobody is 401, others 403."""
    assert shop.send("GET", path).status_code == 401
    assert shop.send("GET", path, shop.account("seller")).status_code == 403


def test_every_write_is_in_the_log_and_no_secret(shop: Shop) -> None:
    """Who did what to which thing, newest first, found by action, actor and subject."""
    account = shop.account("seller")
    shop.send("PATCH", f"/users/{account.id}", account, json={"name": "Other", "email": "other@example.test"})
    key = shop.send("POST", "/auth/keys", account, json={"name": "K", "scopes": ["read"]}).json()
    shop.send("DELETE", f"/auth/keys/{key['id']}", account)
    category = shop.category()
    shop.send("PATCH", f"/categories/{category}", shop.admin, json={"name": "Cups"})
    shop.send("DELETE", f"/categories/{category}", shop.admin)
    shop.send("PATCH", "/settings", shop.admin, json={"currency": "CHF"})
    shop.send("DELETE", f"/users/{account.id}", shop.admin)
    whole = audit(shop, "?limit=100")
    assert [entry["action"] for entry in whole["data"]] == [
        "users.delete",
        "settings.update",
        "categories.delete",
        "categories.update",
        "categories.create",
        "keys.delete",
        "keys.create",
        "users.update",
        "users.roles",
        "users.create",
        "users.create",
    ]
    assert whole["pagination"]["total"] == len({entry["id"] for entry in whole["data"]}) == 11
    text = str(whole)
    for secret in (PASSWORD, "$argon2", key["key"], "other@example.test"):
        assert secret not in text
    assert audit(shop, "?action=users.roles")["pagination"]["total"] == 1
    assert audit(shop, f"?actorId={account.id}")["pagination"]["total"] == 4
    of_account = audit(shop, f"?subjectId={account.id}&limit=1&offset=1")
    assert (of_account["pagination"]["total"], of_account["data"][0]["action"]) == (4, "users.update")
    assert audit(shop, "?actorId=nobody")["data"] == []


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET actor_id = 'x'", "DELETE FROM audit_log"])
def test_the_log_is_append_only(shop: Shop, statement: str) -> None:
    """The database itself refuses to change or remove an entry."""
    shop.account()
    before = audit(shop)
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert database is not None
    with pytest.raises(DatabaseError):
        shop.runner.run(database.run(statement))
    assert audit(shop) == before


def test_settings_are_the_admins(shop: Shop) -> None:
    """They have defaults, keep what is written, and are not there for others; another tenant has its own."""
    seller = shop.account("seller")
    usual = {"shopName": "Shop", "currency": "EUR", "lowStockThreshold": 5}
    assert shop.send("GET", "/settings", shop.admin).json() == usual
    for method, body in (("GET", {}), ("PATCH", {"json": {"currency": "CHF"}})):
        assert shop.send(method, "/settings", **body).status_code == 401
        refused = shop.send(method, "/settings", seller, **body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "NOT_FOUND")
    changed = shop.send("PATCH", "/settings", shop.admin, json={"currency": "CHF", "lowStockThreshold": 0})
    assert changed.json() == {**usual, "currency": "CHF", "lowStockThreshold": 0}
    shop.send("PATCH", "/settings", shop.admin, json={"currency": "NOK"})
    assert shop.send("GET", "/settings", shop.admin).json() == {**usual, "currency": "NOK", "lowStockThreshold": 0}
    login = {"email": "admin@example.test", "password": PASSWORD}
    beta = {"X-Tenant-ID": "beta"}
    token = shop.send("POST", "/auth/login", json=login, headers=beta).json()["accessToken"]
    answer = shop.send("GET", "/settings", headers={**beta, "Authorization": f"Bearer {token}"})
    assert answer.json() == usual


@pytest.mark.parametrize(
    "body", [{}, {"currency": "eur"}, {"lowStockThreshold": -1}, {"shopName": ""}, {"other": 1}, {"currency": None}]
)
def test_settings_are_typed(shop: Shop, body: dict[str, Any]) -> None:
    """What does not fit is 400 and changes nothing."""
    assert shop.send("PATCH", "/settings", shop.admin, json=body).status_code == 400
    assert shop.send("GET", "/settings", shop.admin).json()["currency"] == "EUR"
