"""Streams of events over SSE: what is in them, for whom, from where on, and when they end."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reference_impl.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.reference_impl.conftest import Account, Shop

LIMIT_S = 20.0


@dataclass
class Reader:
    """A client of one stream, spoken to in ASGI: the frames that came, and its way to leave."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    raw: str = ""
    ended: bool = False
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    async def receive(self) -> dict[str, Any]:
        """What the client says: in the end that it leaves."""
        await self.leaving.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        """Take what the server says."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.raw += message["body"].decode()
            self.ended = not message.get("more_body", False)
        self.news.set()

    @property
    def events(self) -> list[tuple[int, str, dict[str, Any]]]:
        """Id, name and data of each event."""
        found = []
        for frame in self.raw.split("\n\n"):
            members = dict(line.split(": ", 1) for line in frame.splitlines() if not line.startswith(":"))
            if members:
                found.append((int(members["id"]), members["event"], json.loads(members["data"])))
        return found

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                self.news.clear()
                await self.news.wait()


def read(shop: Shop, path: str, by: Account | None = None, **headers: str) -> Reader:
    """Open a stream; it has begun when this returns."""
    if by is not None:
        headers["authorization"] = f"Bearer {by.token}"
    target, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/api/v1{target}",
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "scheme": "http",
        "client": ("127.0.0.1", 1),
    }

    async def run() -> Reader:
        reader = Reader()
        reader.task = asyncio.create_task(shop.application(scope, reader.receive, reader.send))  # type: ignore[arg-type]  # ASGI's own types are looser
        await reader.until(lambda: reader.raw)
        return reader

    return shop.runner.run(run())


def leave(shop: Shop, *readers: Reader) -> None:
    """Let clients go."""

    async def run() -> None:
        for reader in readers:
            reader.leaving.set()
            assert reader.task is not None
            await reader.task

    shop.runner.run(run())


def wait(shop: Shop, reader: Reader, count: int) -> list[tuple[str, str]]:
    """Wait for so many events and return name and id of what each is about."""
    shop.runner.run(reader.until(lambda: len(reader.events) >= count))
    return [(name, data["id"]) for _, name, data in reader.events]


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


def test_a_reader_goes_on_after_the_last_id(shop: Shop) -> None:
    """Last-Event-ID gives what followed it, once each; an id never given out is taken for the newest."""
    seller, user = shop.account("seller"), shop.account()
    first = read(shop, "/events", user)
    made = [shop.product(seller)["id"] for _ in range(3)]
    wait(shop, first, 3)
    leave(shop, first)
    made += [shop.product(seller)["id"] for _ in range(2)]
    again = read(shop, "/events", user, last_event_id=str(first.events[0][0]))
    made.append(shop.product(seller)["id"])
    assert [about for _, about in wait(shop, again, 5)] == made[1:]
    future = read(shop, "/events", user, last_event_id="999999999999")
    last = ("products.created", shop.product(seller)["id"])
    assert wait(shop, future, 1) == [last]
    assert wait(shop, again, 6)[-1] == last
    leave(shop, again, future)
    assert shop.send("GET", "/events", user, headers={"Last-Event-ID": "x"}).status_code == 400


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


def test_a_stream_ends_with_its_session(open_shop: Callable[..., Shop]) -> None:
    """Logging out ends the streams of this session at once, and no other's."""
    shop = open_shop(heartbeat_s=600.0)
    user, other = shop.account(), shop.account()
    reader, stays = read(shop, "/events", user), read(shop, "/events", other)
    assert shop.send("POST", "/auth/logout", user).status_code == 204
    shop.runner.run(reader.until(lambda: reader.ended))
    assert not stays.ended
    leave(shop, stays)


def test_a_stream_ends_when_its_session_expires(open_shop: Callable[..., Shop]) -> None:
    """No event tells of an expiry: it is seen within a heartbeat."""
    shop = open_shop(heartbeat_s=0.05)
    user = shop.account()
    reader = read(shop, "/events", user)
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert database is not None
    past = rfc3339(time.time() - 1)
    shop.runner.run(database.run("UPDATE sessions SET expires_at = ? WHERE user_id = ?", past, user.id))
    shop.runner.run(reader.until(lambda: reader.ended))


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
