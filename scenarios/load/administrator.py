"""Journeys of an admin: an account from its making to its end, a category's, the office, and what is done in bulk."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from harness.load.journey import Route
from scenarios.load.people import new_account
from scenarios.load.request import id_of, object_of, request
from scenarios.load.shop import browse

if TYPE_CHECKING:
    from harness.load.journey import Journey, Visit


def accounts(visit: Visit) -> Journey[None]:
    """Looks through the users, makes one, renames it, makes it a seller, and deletes it; one of the admins does.

    Where there is none the customer browses.
    """
    if not visit.ground.facts["admins"]:
        yield from browse(visit)
        return
    random, admin = visit.random, visit.random.choice(visit.ground.facts["admins"])
    page = f"limit={random.choice((10, 20, 50))}&offset={random.choice((0, 0, 10))}"
    yield request("users.list", "GET", f"/users?{page}", admin)
    user = id_of((yield request("users.create", "POST", "/users", admin, new_account("employee"))))
    if not user:
        return
    yield request("users.update", "PATCH", f"/users/{user}", admin, {"name": "Renamed under load"})
    yield request("users.roles", "PATCH", f"/users/{user}/roles", admin, {"roles": ["user", "seller"]})
    yield request("users.delete", "DELETE", f"/users/{user}", admin)


def assortment(visit: Visit) -> Journey[None]:
    """Makes a category, renames it, and deletes it; one of the admins does, or the customer browses."""
    if not visit.ground.facts["admins"]:
        yield from browse(visit)
        return
    admin, name = visit.random.choice(visit.ground.facts["admins"]), f"Season {secrets.token_hex(8)}"
    category = id_of((yield request("categories.create", "POST", "/categories", admin, {"name": name})))
    if category:
        path = f"/categories/{category}"
        yield request("categories.update", "PATCH", path, admin, {"name": f"{name} again"})
        yield request("categories.delete", "DELETE", path, admin)


def office(visit: Visit) -> Journey[None]:
    """Reads the figures, the audit log and the settings, and sets a threshold; one of the admins does."""
    if not visit.ground.facts["admins"]:
        yield from browse(visit)
        return
    admin = visit.random.choice(visit.ground.facts["admins"])
    yield request("admin.stats", "GET", "/admin/stats", admin)
    yield request("admin.audit", "GET", "/admin/audit?limit=20", admin)
    yield request("settings.get", "GET", "/settings", admin)
    threshold = {"lowStockThreshold": visit.random.randint(1, 20)}
    yield request("settings.update", "PATCH", "/settings", admin, threshold)


def in_bulk(visit: Visit) -> Journey[None]:
    """Makes two accounts at once, suspends them, and puts some products on sale; one of the admins does."""
    if not visit.ground.facts["admins"]:
        yield from browse(visit)
        return
    admin = visit.random.choice(visit.ground.facts["admins"])
    rows = {"users": [new_account("employee"), new_account("employee")]}
    made = object_of((yield request("users.bulkCreate", "POST", "/bulk/users", admin, rows)))
    ids = [row["user"]["id"] for row in made.get("results", ()) if "user" in row]
    if ids:
        body = {"ids": ids, "status": "suspended"}
        yield request("users.bulkStatus", "PATCH", "/bulk/users/status", admin, body)
    products = sorted(visit.ground.facts["products"])[:3]
    if products:
        sale = {"ids": products, "discount": visit.random.randint(0, 30)}
        yield request("products.batchUpdate", "POST", "/bulk/products", admin, sale)


ROUTES = (
    Route("accounts", 2, accounts),
    Route("assortment", 2, assortment),
    Route("office", 2, office),
    Route("in bulk", 2, in_bulk),
)
