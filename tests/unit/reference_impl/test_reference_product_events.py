"""Whatever changes what reading a product shows raises its version and is told in the same transaction."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from reference_impl.data.tenants import open_tenants
from reference_impl.procedures.records import changed, emit_all
from tests.unit.reference_impl.event_streams import leave, read, wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.data.database import Database
    from tests.unit.reference_impl.conftest import Shop

TOLD = "SELECT type, data FROM events WHERE channel = 'products' AND id > ? ORDER BY id"
LAST = "SELECT coalesce(MAX(id), 0) FROM events"
MANY = 250


def asked(shop: Shop, sql: str, *parameters: int) -> list[Any]:
    """What a statement answers, on tenants of its own."""

    async def ask() -> list[Any]:
        tenants = open_tenants(shop.application.settings)
        try:
            database = await tenants.get("alpha")
            assert database is not None
            return await database.query(sql, *parameters)
        finally:
            await tenants.close()

    return asyncio.run(ask())


def told(shop: Shop, act: Callable[[], Any]) -> list[tuple[str, str, int, str]]:
    """The product events that an act wrote: type, id, version, category."""
    ((last,),) = asked(shop, LAST)
    act()
    events = [(kind, json.loads(data)) for kind, data in asked(shop, TOLD, last)]
    return [(kind, data["id"], data["version"], data["categoryId"]) for kind, data in events]


def shown(shop: Shop, *products: dict[str, Any]) -> list[tuple[str, str, int, str]]:
    """The events that tell what reading the products shows now."""
    bodies = [shop.send("GET", f"/products/{product['id']}").json() for product in products]
    return [("updated", body["id"], body["version"], body["category"]["id"]) for body in bodies]


def test_an_order_tells_of_each_product_it_draws_from_and_gives_back_to(shop: Shop) -> None:
    """Once a product, however many lines it has, with the version that reading shows; a refused order tells nothing."""
    seller, buyer = shop.account("seller"), shop.account()
    one, two = sorted((shop.product(seller), shop.product(seller)), key=lambda product: str(product["id"]))
    orders: list[str] = []

    def place() -> None:
        answer = shop.order(buyer, (two["id"], 1), (one["id"], 1), (two["id"], 1))
        orders.append(answer.json()["id"])

    assert told(shop, place) == shown(shop, one, two)
    assert told(shop, lambda: shop.send("POST", f"/orders/{orders[0]}/cancel", buyer)) == shown(shop, one, two)
    assert told(shop, lambda: shop.send("POST", f"/orders/{orders[0]}/cancel", buyer)) == []
    assert told(shop, lambda: shop.order(buyer, (one["id"], 1), (two["id"], 99))) == []


def test_a_deleted_product_is_told_of_no_more(shop: Shop) -> None:
    """It gets its stock back, and nobody can read it."""
    seller, buyer = shop.account("seller"), shop.account()
    kept, gone = shop.product(seller), shop.product(seller)
    order = shop.order(buyer, (kept["id"], 1), (gone["id"], 1)).json()
    assert shop.send("DELETE", f"/products/{gone['id']}", seller).status_code == 204
    assert told(shop, lambda: shop.send("POST", f"/orders/{order['id']}/cancel", buyer)) == shown(shop, kept)


def test_a_new_name_of_a_category_tells_of_its_products(shop: Shop) -> None:
    """Of each that stands in it and is not deleted, and of no other; a name that is taken tells nothing."""
    seller = shop.account("seller")
    category = shop.category("Bowls")
    inside = sorted((shop.product(seller, categoryId=category) for _ in range(3)), key=lambda one: str(one["id"]))
    deleted, elsewhere = shop.product(seller, categoryId=category), shop.product(seller)
    shop.send("DELETE", f"/products/{deleted['id']}", seller)
    path = f"/categories/{category}"
    assert told(shop, lambda: shop.send("PATCH", path, shop.admin, json={"name": "Plates"})) == shown(shop, *inside)
    assert [one[2] for one in shown(shop, *inside, elsewhere)] == [2, 2, 2, 1]
    other = shop.send("GET", f"/products/{elsewhere['id']}").json()["category"]["name"]
    assert told(shop, lambda: shop.send("PATCH", path, shop.admin, json={"name": other})) == []


def test_a_reader_hears_of_orders_and_names(shop: Shop) -> None:
    """Over the stream: whoever follows a category hears of its products' stock and of its own name."""
    seller, buyer = shop.account("seller"), shop.account()
    category = shop.category("Bowls")
    product = shop.product(seller, categoryId=category)
    reader = read(shop, f"/product-events?categoryId={category}", buyer)
    shop.order(buyer, (product["id"], 1))
    shop.send("PATCH", f"/categories/{category}", shop.admin, json={"name": "Plates"})
    assert wait(shop, reader, 2) == [("updated", product["id"])] * 2
    assert [data["version"] for _, _, data in reader.events] == [2, 3]
    leave(shop, reader)


def test_many_events_keep_their_order(on_database: Callable[..., Any]) -> None:
    """More than one statement takes are written in order, with ids that grow; none is no statement."""

    async def work(database: Database) -> list[Any]:
        await database.transaction(lambda: emit_all([]))
        await database.transaction(lambda: emit_all([changed(str(number), number, "c") for number in range(MANY)]))
        return await database.query("SELECT id, data FROM events ORDER BY id")

    rows = on_database(work)
    assert [json.loads(data)["version"] for _, data in rows] == list(range(MANY))
    assert len({number for number, _ in rows}) == MANY
