"""Who may keep a stream: it ends with its session or key, and what changes of its user counts at once."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from reference_impl.procedures.records import emit
from reference_impl.realtime.standing import SESSIONS
from tests.unit.reference_impl.event_streams import database_of, expire, leave, read, wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.reference_impl.conftest import Account, Shop


def key_of(shop: Shop, user: Account) -> dict[str, Any]:
    """A key of a user's."""
    body = {"name": "Stream", "scopes": ["read"]}
    return dict(shop.send("POST", "/auth/keys", user, json=body).json())


def test_a_stream_ends_with_its_session(open_shop: Callable[..., Shop]) -> None:
    """Logging out ends the streams of this session at once, and no other's."""
    shop = open_shop(heartbeat_s=600.0)
    user, other = shop.account(), shop.account()
    reader, stays = read(shop, "/events", user), read(shop, "/events", other)
    assert shop.send("POST", "/auth/logout", user).status_code == 204
    shop.runner.run(reader.until(lambda: reader.ended))
    assert not stays.ended
    leave(shop, stays)


@pytest.mark.parametrize("by", ["revoked", "suspended", "deleted"])
def test_a_stream_ends_with_its_key(open_shop: Callable[..., Shop], by: str) -> None:
    """A key that is revoked, or whose user is suspended or deleted, has its streams ended at once; no other's."""
    shop = open_shop(heartbeat_s=600.0)
    user = shop.account()
    key, stays = key_of(shop, user), shop.account()
    reader, other = read(shop, "/events", x_api_key=key["key"]), read(shop, "/events", stays)
    if by == "revoked":
        ended = shop.send("DELETE", f"/auth/keys/{key['id']}", user)
    elif by == "suspended":
        ended = shop.send("PATCH", "/bulk/users/status", shop.admin, json={"ids": [user.id], "status": "suspended"})
    else:
        ended = shop.send("DELETE", f"/users/{user.id}", shop.admin)
    assert ended.status_code in {200, 204}, ended.text
    shop.runner.run(reader.until(lambda: reader.ended))
    assert not other.ended
    leave(shop, other)


def test_a_change_of_roles_counts_for_what_is_open(open_shop: Callable[..., Shop]) -> None:
    """Who is no admin any more hears of no deletion from then on."""
    shop = open_shop(heartbeat_s=600.0)
    seller, admin = shop.account("seller"), shop.account("admin")
    reader = read(shop, "/product-events", admin)
    before, after = shop.product(seller), shop.product(seller)
    shop.send("DELETE", f"/products/{before['id']}", seller)
    assert [name for name, _ in wait(shop, reader, 3)] == ["created", "created", "deleted"]
    given = shop.send("PATCH", f"/users/{admin.id}/roles", shop.admin, json={"roles": ["user"]})
    assert given.status_code == 200
    shop.send("DELETE", f"/products/{after['id']}", seller)
    last = shop.product(seller)
    assert wait(shop, reader, 4)[3] == ("created", last["id"])
    leave(shop, reader)


def test_a_session_that_expired_is_seen_whatever_comes(
    open_shop: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy tenant too, where something comes always: after a heartbeat's time nothing more is told."""
    shop = open_shop(heartbeat_s=600.0)
    user, seller = shop.account(), shop.account("seller")
    now_s = time.monotonic()
    monkeypatch.setattr("reference_impl.realtime.standing.time", SimpleNamespace(monotonic=lambda: now_s))
    reader = read(shop, "/events", user)
    told = [shop.product(seller)["id"]]
    assert [about for _, about in wait(shop, reader, 1)] == told  # it was asked for at the stream's beginning
    expire(shop, user)
    told.append(shop.product(seller)["id"])
    assert [about for _, about in wait(shop, reader, 2)] == told
    now_s += 600
    shop.product(seller)
    shop.runner.run(reader.until(lambda: reader.ended))
    assert [about for _, about in wait(shop, reader, 2)] == told


def test_a_word_to_all_is_heard_by_all(open_shop: Callable[..., Shop]) -> None:
    """A record of the sessions' channel that names nobody makes every stream ask again."""
    shop = open_shop(heartbeat_s=600.0)
    user, other = shop.account(), shop.account()
    reader, stays = read(shop, "/events", user), read(shop, "/events", other)
    expire(shop, user)
    shop.runner.run(database_of(shop).transaction(lambda: emit(SESSIONS, "changed")))
    shop.runner.run(reader.until(lambda: reader.ended))
    assert not stays.ended
    leave(shop, stays)


def test_a_stream_ends_when_its_session_expires(open_shop: Callable[..., Shop]) -> None:
    """No event tells of an expiry: it is seen within a heartbeat."""
    shop = open_shop(heartbeat_s=0.05)
    user = shop.account()
    reader = read(shop, "/events", user)
    expire(shop, user)
    shop.runner.run(reader.until(lambda: reader.ended))
