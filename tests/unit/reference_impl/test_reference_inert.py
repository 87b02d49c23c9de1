"""What looks like SQL, HTML or a header is text: stored, found and returned as it came, and done by nobody."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference_impl.application import Parts
from reference_impl.contract.procedure import ANYONE, Procedure, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop

    from reference_impl.contract.procedure import Call

HOSTILE = [
    "'; DROP TABLE products; --",
    "' OR '1'='1",
    '" OR 1=1 --',
    "1); DELETE FROM users; --",
    "%_\\",
    "?",
    "$1",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}${7*7}",
    "a\r\nSet-Cookie: session=evil",
    "a\nX-Injected: yes",
    "\u2028\u202e\ufeff",
    "../../etc/passwd",
    "=cmd|' /C calc'!A0",
]
TEXTS = st.lists(st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=20), min_size=1, max_size=3).map("".join)
ALLOWED = TEXTS.filter(lambda text: "\0" not in text and text.strip() and text.isprintable() | ("\n" in text))


@given(ALLOWED)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_hostile_text_is_data(shop: Shop, text: str) -> None:
    """A product described so is read, listed and found with the same text; nothing of it is in a header."""
    product = shop.product(shop.admin, description=text)
    answer = shop.send("GET", f"/products/{product['id']}")
    assert (answer.status_code, answer.json()["description"]) == (200, text)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert {"x-injected"}.isdisjoint(answer.headers)
    found = shop.send("GET", "/products", params={"search": text[:100]})
    assert found.status_code == 200
    assert product["id"] in {item["id"] for item in found.json()["items"]} or found.json()["total"] > 0
    assert shop.send("GET", "/users", shop.admin).status_code == 200


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_make_harmless_addresses(shop: Shop, text: str) -> None:
    """A slug and a Location made from such a name have no character that means something."""
    body = {"name": text, "price": 1, "stock": 1, "categoryId": shop.category()}
    made = shop.send("POST", "/products", shop.admin, json=body)
    assert made.status_code == 201, made.text
    assert made.json()["name"] == text
    assert set(made.json()["slug"]) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert set(made.headers["location"]) <= set("abcdefghijklmnopqrstuvwxyz0123456789-/")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_queries_and_paths_are_refused_or_nothing(shop: Shop, text: str) -> None:
    """As an id, a tenant, an e-mail or a parameter it finds nothing and breaks nothing."""
    shop.product(shop.admin)
    safe = text.encode("latin-1", "replace").replace(b"\r", b"").replace(b"\n", b"")
    assert shop.send("GET", "/products", params={"sortBy": text}).status_code == 400
    assert shop.send("GET", "/products", params={text: "1"}).status_code == 400
    assert shop.send("GET", "/products", headers={b"X-Tenant-ID": safe}).status_code in {200, 404}
    assert shop.send("POST", "/auth/login", json={"email": text, "password": text}).status_code in {400, 401}
    assert shop.send("GET", "/products").json()["total"] >= 1


def test_slow_work_leaves_nothing(open_shop: Callable[..., Shop]) -> None:
    """A write whose caller was answered 504 is not there afterwards, however long it waited for its turn."""

    async def slow(call: Call[None, None]) -> Reply:

        await asyncio.sleep(60)
        await call.database.run("DELETE FROM users")
        return Reply()

    late = Procedure(
        id="slow.write",
        method="POST",
        path="/slow",
        summary="Writes too late",
        handler=slow,
        access=ANYONE,
        limit="update",
        status=204,
    )
    shop = open_shop(Parts(procedures=(*Parts().procedures, late)), edge__timeout_s=0.5)
    assert shop.send("POST", "/slow").status_code == 504
    assert shop.send("GET", "/users", shop.admin).json()["pagination"]["total"] == 1
