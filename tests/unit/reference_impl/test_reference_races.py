"""Bodies that meet in one place: each waits for the other's locks at the worst moment, and both come out right."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from reference_impl.data.database import Body, Statement, Transaction
from reference_impl.data.postgres import PostgresDatabase
from reference_impl.data.sqlite import SqliteDatabase
from reference_impl.identity.tokens import Identity
from reference_impl.procedures import categories, product_writes
from reference_impl.procedures.product_types import Product, ProductPatch
from reference_impl.procedures.records import EVENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.data.database import Database
    from tests.unit.reference_impl.conftest import Shop

_WAITED_FOR = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted"


def meet(shop: Shop, first: Body[Any], second: Body[Any]) -> Any:
    """Run the first to its end, begin the second and, once that waits for it, commit the first; return what it gave."""
    stands = asyncio.Event()

    def standing() -> Transaction[Any]:
        result = yield from first()
        stands.set()
        for _ in range(5000):
            if (yield Statement(_WAITED_FOR))[0][0]:
                break
        return result

    async def run() -> Any:
        database = await shop.application.tenants.get("alpha")
        assert database is not None

        async def later() -> None:
            await stands.wait()
            await database.transaction(second, locking=True)

        return (await asyncio.gather(database.transaction(standing, locking=True), later()))[0]

    return shop.runner.run(run())


@pytest.fixture
def admin(shop: Shop) -> Identity:
    """Who does all this."""
    return Identity(shop.admin.id, "Admin", frozenset({"admin"}), "")


@pytest.mark.engines("postgresql")
def test_a_product_that_moves_into_a_category_being_renamed(shop: Shop, admin: Identity) -> None:
    """One version of a product never shows two names of its category."""
    product = shop.product(shop.account("seller"))
    target = shop.category("Plates")
    patch = ProductPatch(category_id=target)
    seen = product_writes.Seen(None, 1)

    moved = meet(
        shop,
        lambda: product_writes.change(admin, product["id"], patch, seen),
        lambda: categories.rename(admin.user_id, target, "Dishes"),
    )
    assert isinstance(moved, Product)
    now = shop.send("GET", f"/products/{product['id']}").json()
    assert (moved.category.name, moved.version) == ("Plates", 2)
    assert (now["category"]["name"], now["version"]) == ("Dishes", 3)


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The writes of each transaction that is run, in order."""
    noted: list[list[str]] = []

    def noting(body: Body[Any], writes: list[str]) -> Transaction[Any]:
        writes.clear()
        running = body()
        try:
            statement = next(running)
            while True:
                if not statement.sql.startswith("SELECT"):
                    writes.append(statement.sql)
                statement = running.send((yield statement))
        except StopIteration as end:
            return end.value

    def recorded(transaction: Callable[..., Any]) -> Callable[..., Any]:
        async def run(self: Database, body: Body[Any], **options: Any) -> Any:
            noted.append([])
            return await transaction(self, partial(noting, body, noted[-1]), **options)

        return run

    for kind in (SqliteDatabase, PostgresDatabase):
        monkeypatch.setattr(kind, "transaction", recorded(kind.transaction))
    return noted


def test_nothing_is_waited_for_once_events_are_written(shop: Shop, bodies: list[list[str]]) -> None:
    """What holds the tenant's events asks for no further row: then no two bodies wait for each other."""
    seller, one, two = shop.account("seller"), shop.account(), shop.account()
    shop.login("user2@example.test")
    products = [shop.product(seller) for _ in range(2)]
    order = shop.order(one, *[(product["id"], 1) for product in products]).json()
    shop.send("POST", f"/orders/{order['id']}/cancel", one)
    ids = [product["id"] for product in products]
    category = products[0]["category"]["id"]
    shop.send("POST", "/bulk/products", shop.admin, json={"ids": ids, "discount": 10, "categoryId": category})
    review = shop.send("POST", f"/products/{ids[0]}/reviews", one, json={"rating": 3}).json()
    shop.send("DELETE", f"/reviews/{review['id']}", one)
    shop.send("PATCH", f"/products/{ids[1]}", seller, json={"stock": 3, "version": 4})
    shop.send("DELETE", f"/products/{ids[1]}", seller)
    users = {"ids": [one.id, two.id], "status": "suspended"}
    assert shop.send("PATCH", "/bulk/users/status", shop.admin, json=users).json()["updated"] == 2
    shop.send("DELETE", f"/users/{seller.id}", seller)
    telling = [writes for writes in bodies if EVENT in writes]
    assert len(telling) == 11
    for writes in telling:
        assert set(writes[writes.index(EVENT) :]) == {EVENT}
