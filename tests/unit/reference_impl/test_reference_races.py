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

    import httpx

    from reference_impl.data.database import Database
    from tests.unit.reference_impl.conftest import Account, Shop

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
    key = shop.send("POST", "/auth/keys", seller, json={"name": "Race", "scopes": ["read"]}).json()
    shop.send("DELETE", f"/auth/keys/{key['id']}", seller)
    shop.send("DELETE", f"/users/{seller.id}", seller)
    shop.send("PATCH", f"/categories/{category}", shop.admin, json={"name": "Plates"})
    telling = [told for writes in bodies if True in (told := [sql.startswith(EVENT) for sql in writes])]
    assert len(telling) == 14
    for told in telling:
        assert all(told[told.index(True) :])


def test_one_version_is_one_body(shop: Shop) -> None:
    """Whatever changes a product while it is read, two readers of one version saw the same."""
    seller, buyers = shop.account("seller"), [shop.account() for _ in range(3)]
    homes = [shop.category(name) for name in ("Bowls", "Plates")]
    path = f"/products/{shop.product(seller, categoryId=homes[0], stock=100)['id']}"
    product_id = path.rpartition("/")[2]
    bodies: dict[int, Any] = {}

    def told(answers: list[httpx.Response]) -> None:
        for answer in answers:
            assert answer.status_code < 500, answer.text
            if answer.request.url.path.endswith(path) and answer.status_code == 200:
                product = answer.json()
                assert answer.headers["etag"].startswith(f'"{product["version"]}')
                assert bodies.setdefault(product["version"], product) == product

    for turn in range(4):
        told([shop.send("GET", path)])
        wanted = {"items": [{"productId": product_id, "quantity": 1}]}
        batch = {"ids": [product_id], "discount": turn, "categoryId": homes[turn % 2]}
        patch = {"description": f"Turn {turn}", "categoryId": homes[turn % 2 - 1], "version": max(bodies)}
        writes: list[tuple[str, str, Account | None, dict[str, Any]]] = [
            ("PATCH", path, seller, {"json": patch}),
            ("POST", "/bulk/products", shop.admin, {"json": batch}),
            *[("PATCH", f"/categories/{home}", shop.admin, {"json": {"name": f"{home} {turn}"}}) for home in homes],
            *[("POST", "/orders", buyer, {"json": wanted}) for buyer in buyers],
            ("POST", f"{path}/reviews", buyers[turn % 3], {"json": {"rating": 5}}),
        ]
        read: tuple[str, str, Account | None, dict[str, Any]] = ("GET", path, None, {})
        told(shop.together([one for write in writes for one in (write, read, read)]))
    told([shop.send("GET", path)])
    assert len(bodies) >= 5
