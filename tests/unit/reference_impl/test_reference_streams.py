"""Streams of events over SSE: what is in them, for whom, and when they end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.reference_impl.event_streams import LIMIT_S, Stalled, leave, read, wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.reference_impl.conftest import Account, Shop


def change(shop: Shop, by: Account, product: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Change a product."""
    answer = shop.send("PATCH", f"/products/{product['id']}", by, json={"version": product["version"], **members})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_stream_tells_what_is_committed_after_it_began(shop: Shop) -> None:
    """Created and updated, in order, with ids that grow; nothing of before; deleted for admins only."""
    seller = shop.account("seller")
    shop.product(seller)
    user, admin = read(shop, "/events", shop.account()), read(shop, "/events?channel=products", shop.admin)
    product = shop.product(seller)
    change(shop, seller, product, name="Ash bowl")
    shop.send("DELETE", f"/products/{product['id']}", seller)
    another = shop.product(seller)
    seen = [("products.created", product["id"]), ("products.updated", product["id"])]
    assert wait(shop, user, 3) == [*seen, ("products.created", another["id"])]
    deleted = ("products.deleted", product["id"])
    assert wait(shop, admin, 4) == [*seen, deleted, ("products.created", another["id"])]
    assert (user.status, user.headers["content-type"]) == (200, "text/event-stream")
    ids = [number for number, _, _ in admin.events]
    assert ids == sorted(set(ids))
    leave(shop, user, admin)


def test_a_category_hears_of_what_comes_and_goes(shop: Shop) -> None:
    """Both the old and the new category are told of a move; others hear nothing of it."""
    seller, user = shop.account("seller"), shop.account()
    old, new, other = (shop.category(name) for name in ("Old", "New", "Other"))
    readers = {one: read(shop, f"/product-events?categoryId={one}", user) for one in (old, new, other)}
    product = shop.product(seller, categoryId=old)
    moved = change(shop, seller, product, categoryId=new)
    change(shop, seller, moved, name="Ash bowl")
    last = shop.product(seller, categoryId=other)
    assert wait(shop, readers[other], 1) == [("created", last["id"])]
    assert [name for name, _ in wait(shop, readers[old], 2)] == ["created", "updated"]
    assert [name for name, _ in wait(shop, readers[new], 2)] == ["updated", "updated"]
    assert readers[new].events[0][2] == {
        "channel": "products",
        "type": "updated",
        "id": product["id"],
        "version": 2,
        "categoryId": new,
        "previousCategoryId": old,
    }
    leave(shop, *readers.values())


def test_orders_are_told_to_their_buyer_only(shop: Shop) -> None:
    """Another user and an admin hear nothing of an order."""
    seller, buyer, other = shop.account("seller"), shop.account(), shop.account()
    product = shop.product(seller)
    readers = [read(shop, "/events?channel=orders", who) for who in (buyer, other, shop.admin)]
    order = shop.order(buyer, (product["id"], 1)).json()
    shop.send("POST", f"/orders/{order['id']}/cancel", buyer)
    assert wait(shop, readers[0], 2) == [("orders.created", order["id"]), ("orders.cancelled", order["id"])]
    own = shop.order(other, (product["id"], 1)).json()
    assert wait(shop, readers[1], 1) == [("orders.created", own["id"])]
    assert readers[2].events == []
    leave(shop, *readers)


def test_another_tenant_hears_nothing(shop: Shop) -> None:
    """A stream is bound to its tenant."""
    tenant = {"x_tenant_id": "beta"}
    login = {"email": "admin@example.test", "password": "correct horse battery"}
    answer = shop.send("POST", "/auth/login", json=login, headers={"X-Tenant-ID": "beta"}).json()
    stranger = type(shop.admin)(answer["user"]["id"], answer["accessToken"])
    reader = read(shop, "/events", stranger, **tenant)
    shop.product(shop.account("seller"))
    category = {"json": {"name": "Beta"}, "headers": {"X-Tenant-ID": "beta"}}
    body = {"categoryId": shop.send("POST", "/categories", stranger, **category).json()["id"], "name": "Beta's"}
    own = {**body, "price": 1, "stock": 1}
    made = shop.send("POST", "/products", stranger, json=own, headers={"X-Tenant-ID": "beta"})
    assert wait(shop, reader, 1) == [("products.created", made.json()["id"])]
    leave(shop, reader)


def test_a_stream_asks_for_an_identity(shop: Shop) -> None:
    """Anonymous is 401; so is another tenant's token."""
    for path in ("/events", "/product-events"):
        assert shop.send("GET", path).status_code == 401
        assert shop.send("GET", path, shop.admin, headers={"X-Tenant-ID": "beta"}).status_code == 401


def test_the_server_ends_its_streams(shop: Shop) -> None:
    """When the server ends, so does each stream, with a whole answer."""
    reader = read(shop, "/events", shop.account())

    async def end() -> None:
        shop.application.end_streams()
        await reader.until(lambda: reader.ended)

    shop.runner.run(end())


def test_streams_of_one_user_are_bounded(open_shop: Callable[..., Shop]) -> None:
    """One more than allowed is 429; who leaves makes room; another user has his own."""
    shop = open_shop(stream_quota=2)
    user = shop.account()
    readers = [read(shop, "/events", user), read(shop, "/product-events", user)]
    assert shop.send("GET", "/events", user).status_code == 429
    leave(shop, readers.pop())
    readers += [read(shop, "/events", user), read(shop, "/events", shop.account())]
    leave(shop, *readers)


def test_a_stream_is_told_while_nothing_happens(open_shop: Callable[..., Shop]) -> None:
    """Heartbeats are comments, so no event."""
    shop = open_shop(heartbeat_s=0.02)
    reader = read(shop, "/events", shop.account())
    shop.runner.run(reader.until(lambda: reader.raw.count(":") >= 3))
    assert reader.events == []
    leave(shop, reader)


PATHS = ("/events", "/product-events", "/api/rpc/events/stream", "/api/rpc/products/subscribe")


@pytest.mark.parametrize("path", PATHS)
def test_head_has_the_headers_of_get_and_ends_at_once(path: str, open_shop: Callable[..., Shop]) -> None:
    """No body and no seat: as many as one likes, each over when its answer is, and as GET refused without a seat."""
    shop = open_shop(stream_quota=1)
    user = shop.account()
    heads = [read(shop, path, user, verb="HEAD") for _ in range(3)]
    assert [(head.status, head.raw, head.ended) for head in heads] == [(200, "", True)] * 3
    leave(shop, *heads)
    got = read(shop, path, user)
    changing = ("request-id", "remaining", "reset")
    first, last = (
        {name: value for name, value in one.headers.items() if not name.endswith(changing)} for one in (heads[0], got)
    )
    assert first == last
    assert first["content-type"] == "text/event-stream"
    assert read(shop, path, user, verb="HEAD").status == 429
    assert shop.send("HEAD", path).status_code == 401
    leave(shop, got)


@pytest.mark.parametrize("path", PATHS)
def test_a_reader_that_takes_nothing_is_let_go(path: str, open_shop: Callable[..., Shop]) -> None:
    """After a heartbeat's time the stream is over, unfinished, and its seat is another's."""
    shop = open_shop(stream_quota=1, heartbeat_s=0.05)
    user = shop.account()
    stalled = read(shop, path, user, Stalled())
    assert stalled.task is not None
    shop.runner.run(asyncio.wait_for(stalled.task, LIMIT_S))
    assert (stalled.takes, stalled.ended) == (0, False)
    leave(shop, read(shop, path, user))


def test_a_reader_that_takes_nothing_when_it_begins_is_let_go(open_shop: Callable[..., Shop]) -> None:
    """The wait is bounded before the first event too, as an answer that has begun has no other bound."""
    shop = open_shop(stream_quota=1, heartbeat_s=0.05)
    user = shop.account()
    stalled = Stalled(takes=0, ended=True)
    read(shop, "/events", user, stalled)
    assert stalled.task is not None
    shop.runner.run(asyncio.wait_for(stalled.task, LIMIT_S))
    assert (stalled.status, stalled.raw) == (200, "")
    leave(shop, read(shop, "/events", user))
