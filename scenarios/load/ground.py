"""What the journeys stand on: people of each kind, a category, and products that stay for the whole load."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from harness.load.journey import Briefing, Ground
from scenarios.load.people import admin_by_hand, newcomers, staff
from scenarios.load.request import needed, request, surroundings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.identities import Identity
    from harness.load.journey import Journey

CUSTOMERS = 40  # and so many sellers and admins that nobody comes near the ten of a kind that each may make in a window
STAFF = 8
PRODUCTS = 10
STOCK = 1_000_000
WORDS = ("walnut", "bowl", "lamp", "oak", "chair")


def set_up(briefing: Briefing) -> Journey[Ground]:
    """Registers customers and signs them in; an admin makes sellers, more admins and a category with products.

    Without an admin (by hand: LOAD_ADMIN_EMAIL and LOAD_ADMIN_PASSWORD) the journeys use what is there, and nobody
    sells or administrates.
    """
    admin = briefing.with_role("admin") or (yield from admin_by_hand())
    where = surroundings(admin)
    customers = yield from newcomers("customer", int(briefing.options.get("customers", CUSTOMERS)), where)
    sellers: tuple[Identity, ...] = ()
    admins: tuple[Identity, ...] = ()
    if admin is not None:
        sellers = yield from staff("seller", STAFF, admin, where)
        admins = yield from staff("admin", STAFF, admin, where)
        yield from _fill(admin, sellers)
    products = yield request("products.list", "GET", "/products?limit=100", customers[0])
    categories = yield request("categories.list", "GET", "/categories?limit=100", customers[0])
    facts = {
        "products": [item["id"] for item in needed(products, "list products")["items"] if item.get("stock", 1)],
        "categories": [item["id"] for item in needed(categories, "list categories")["items"]],
        "sellers": sellers,
        "admins": admins,
    }
    return Ground(customers, facts)


def _fill(admin: Identity, sellers: Sequence[Identity]) -> Journey[None]:
    name = f"Load {secrets.token_hex(4)}"
    made = yield request("categories.create", "POST", "/categories", admin, {"name": name})
    category = needed(made, "make a category")["id"]
    for number in range(PRODUCTS):
        product = {
            "name": f"{WORDS[number % len(WORDS)]} {name} {number}",
            "price": number + 0.5,
            "categoryId": category,
            "stock": STOCK,
        }
        seller = sellers[number % len(sellers)]
        needed((yield request("products.create", "POST", "/products", seller, product)), "make a product")
