"""Journeys of an admin: somebody's account from its making to its end, and a category's."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from harness.load.journey import Route
from scenarios.load.people import new_account
from scenarios.load.request import id_of, request
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


ROUTES = (Route("accounts", 2, accounts), Route("assortment", 2, assortment))
