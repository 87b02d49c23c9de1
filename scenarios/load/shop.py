"""Journeys through the shop: customers browse pages and filters, read a product, and now and then order one."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from harness.identities import Identity
from harness.load.journey import Briefing, Ground, Route, SetUpError, Step, as_json, headers_of

if TYPE_CHECKING:
    from random import Random

    from harness.load.journey import Journey, Visit
    from harness.load.reply import Reply

BASE = "/api/v1"
CUSTOMERS = 20
PRODUCTS = 8  # a seller may create ten at a time
STOCK = 1_000_000
PAGES = 3
CONFLICT = 409
TOO_MANY = 429
WORDS = ("walnut", "bowl", "lamp", "oak", "chair")


def set_up(briefing: Briefing) -> Journey[Ground]:
    """Registers customers and signs them in; an admin makes a category and a seller fills it with products.

    Without an admin (by hand: LOAD_ADMIN_EMAIL and LOAD_ADMIN_PASSWORD) the journeys use the products that are there.
    """
    admin = briefing.with_role("admin") or (yield from _admin_by_hand())
    outer = _without_credentials(admin)
    customers = yield from _customers(int(briefing.options.get("customers", CUSTOMERS)), outer)
    if admin is not None:
        seller = briefing.with_role("seller") or (yield from _seller(admin, outer))
        yield from _fill(admin, seller)
    listed = yield _step("products.list", "GET", "/products?limit=100", customers[0])
    products = [item["id"] for item in _content(listed, "list products")["items"] if item.get("stock", 1)]
    return Ground(customers, {"products": products})


def browse(visit: Visit) -> Journey[None]:
    """Looks at a page or two of the list, and at one product of each that was not empty."""
    for _ in range(visit.random.randint(1, 2)):
        reply = yield _step("products.list", "GET", f"/products?{_query(visit.random)}", visit.identity)
        found = _items(reply) or [{"id": product} for product in visit.ground.facts["products"]]
        if found:
            product = visit.random.choice(found)["id"]
            yield _step("products.get", "GET", f"/products/{product}", visit.identity)


def order(visit: Visit) -> Journey[None]:
    """Reads one product and orders one or two of it; sold out is an answer, not a fault."""
    products = visit.ground.facts["products"]
    if not products:
        yield _step("products.list", "GET", "/products", visit.identity)
        return
    product = visit.random.choice(products)
    yield _step("products.get", "GET", f"/products/{product}", visit.identity)
    line = {"productId": product, "quantity": visit.random.randint(1, 2)}
    yield _step("orders.create", "POST", "/orders", visit.identity, {"items": [line]}, frozenset({CONFLICT}))


ROUTES = (Route("browse", 4, browse), Route("order", 1, order))


def _query(random: Random) -> str:
    query: dict[str, Any] = {"page": random.randint(1, PAGES), "limit": random.choice((10, 20, 50))}
    chance = random.random()
    if chance < 0.2:  # noqa: PLR2004 - a fifth searches, a fifth bounds the price, a fifth sorts
        query = {"limit": 20, "search": random.choice(WORDS)}
    elif chance < 0.4:  # noqa: PLR2004 - same
        query["minPrice"], query["maxPrice"] = random.randint(0, 10), random.randint(10, 100)
    elif chance < 0.6:  # noqa: PLR2004 - same
        query["sortBy"], query["sortOrder"] = random.choice(("price", "createdAt")), random.choice(("asc", "desc"))
    return urlencode(query)


def _customers(count: int, outer: dict[str, str]) -> Journey[tuple[Identity, ...]]:
    """So many new customers, fewer where registration is limited, one at least."""
    found: list[Identity] = []
    for number in range(count):
        email, password = f"load-{secrets.token_hex(8)}@example.test", secrets.token_urlsafe(18)
        who = {"email": email, "password": password, "name": f"Customer {number}"}
        reply = yield _step(
            "auth.register", "POST", "/auth/register", Identity("new", headers=tuple(outer.items())), who
        )
        if reply.status == TOO_MANY and found:
            break
        _content(reply, "register a customer")
        found.append((yield from _signed_in(f"customer-{number}", ("user",), email, password, outer)))
    return tuple(found)


def _signed_in(
    name: str, roles: tuple[str, ...], email: str, password: str, outer: dict[str, str]
) -> Journey[Identity]:
    step = _step("auth.login", "POST", "/auth/login", Identity(name), {"email": email, "password": password})
    step = step._replace(headers={**step.headers, **outer}, secret_pointers=("/accessToken",))
    content = _content((yield step), f"sign in {name}")
    headers = {**outer, "Authorization": f"Bearer {content['accessToken']}"}
    return Identity(name, roles, headers=tuple(headers.items()), facts={"id": content["user"]["id"]})


def _admin_by_hand() -> Journey[Identity | None]:
    email, password = os.environ.get("LOAD_ADMIN_EMAIL"), os.environ.get("LOAD_ADMIN_PASSWORD")
    if not email or not password:
        return None
    return (yield from _signed_in("admin", ("admin",), email, password, {}))


def _seller(admin: Identity, outer: dict[str, str]) -> Journey[Identity]:
    (seller,) = yield from _customers(1, outer)
    path = f"/users/{seller.id}/roles"
    _content((yield _step("users.roles", "PATCH", path, admin, {"roles": ["user", "seller"]})), "make a seller")
    return seller


def _fill(admin: Identity, seller: Identity) -> Journey[None]:
    name = f"Load {secrets.token_hex(4)}"
    made = yield _step("categories.create", "POST", "/categories", admin, {"name": name})
    category = _content(made, "make a category")["id"]
    for number in range(PRODUCTS):
        product = {
            "name": f"{WORDS[number % len(WORDS)]} {name} {number}",
            "price": number + 0.5,
            "categoryId": category,
            "stock": STOCK,
        }
        _content((yield _step("products.create", "POST", "/products", seller, product)), "make a product")


def _step(
    operation: str,
    method: str,
    path: str,
    identity: Identity,
    body: object = None,
    expected: frozenset[int] = frozenset(),
) -> Step:
    headers = headers_of(identity, json_body=body is not None)
    data = None if body is None else as_json(body)
    return Step(operation, method, BASE + path, headers, data, expected, identity=identity)


def _without_credentials(identity: Identity | None) -> dict[str, str]:
    """The headers that say where, not who: the tenant's."""
    headers = identity.headers if identity else ()
    return {name: value for name, value in headers if name.lower() not in {"authorization", "cookie"}}


def _items(reply: Reply) -> list[dict[str, Any]]:
    content = reply.json() if reply.status == 200 else None  # noqa: PLR2004 - OK
    items = content.get("items") if isinstance(content, dict) else None
    return items if isinstance(items, list) else []


def _content(reply: Reply, purpose: str) -> dict[str, Any]:
    content = reply.json()
    if reply.status in {200, 201} and isinstance(content, dict):
        return content
    raise SetUpError(f"cannot {purpose}: {reply.error or reply.status} {reply.body[:200].decode(errors='replace')}")
