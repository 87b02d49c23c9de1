"""How a defect of who is calling is told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from reference_impl.clock import rfc3339
from scenarios.tokens import made
from tests.unit.reference_impl.western import west

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Account, Shop

ADMIN = "admin@example.test"
PASSWORD = "correct horse battery"


def taken(shop: Shop, kind: str) -> bool:
    """Say whether an admin's token of this kind is taken."""
    token = made(kind, shop.admin.token, shop.application.settings.identity.token_key)
    return shop.send("GET", "/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def taken_in_the_west(shop: Shop) -> bool:
    """Tell S42: a token that ended an hour ago is taken."""
    with west():
        return taken(shop, "expired")


def refreshed_twice(shop: Shop) -> bool:
    """Tell B2c: one refresh token is good twice."""
    body = {"email": ADMIN, "password": PASSWORD}
    token = {"refreshToken": shop.send("POST", "/auth/login", json=body).json()["refreshToken"]}
    return [shop.send("POST", "/auth/refresh", json=token).status_code for _ in range(2)] == [200, 200]


def taken_after_logout(shop: Shop) -> bool:
    """Tell B3a: a token is taken after its logout."""
    account = shop.account()
    shop.send("POST", "/auth/logout", account)
    return shop.send("GET", "/auth/me", account).status_code == 200


def suspended(shop: Shop) -> Any:
    """Suspend a new account and return what its login answered before."""
    account = {"email": "a@example.test", "password": PASSWORD}
    assert shop.send("POST", "/auth/register", json={**account, "name": "A"}).status_code == 201
    entered = shop.send("POST", "/auth/login", json=account).json()
    body = {"ids": [entered["user"]["id"]], "status": "suspended"}
    assert shop.send("PATCH", "/bulk/users/status", shop.admin, json=body).json()["updated"] == 1
    return entered


def suspended_enters(shop: Shop) -> bool:
    """Tell D5a: a suspended account logs in."""
    email = suspended(shop)["user"]["email"]
    return shop.send("POST", "/auth/login", json={"email": email, "password": PASSWORD}).status_code == 200


def suspended_goes_on(shop: Shop) -> bool:
    """Tell D5b: tokens from before a suspension are taken and refreshed; there is no new login."""
    before = suspended(shop)
    header = {"Authorization": f"Bearer {before['accessToken']}"}
    answers = (
        shop.send("GET", "/auth/me", headers=header),
        shop.send("POST", "/auth/refresh", json={"refreshToken": before["refreshToken"]}),
        shop.send("POST", "/auth/login", json={"email": before["user"]["email"], "password": PASSWORD}),
    )
    return [answer.status_code for answer in answers] == [200, 200, 401]


def registered_admin(shop: Shop) -> bool:
    """Tell B1a: a new account is an admin's."""
    body = {"email": "a@example.test", "password": PASSWORD, "name": "A", "roles": ["admin"]}
    return shop.send("POST", "/auth/register", json=body).status_code == 201


def key_of(shop: Shop, account: Account, **members: Any) -> Any:
    """Make a key and return its record."""
    answer = shop.send("POST", "/auth/keys", account, json={"name": "K", "scopes": ["read"], **members})
    assert answer.status_code == 201, answer.text
    return answer.json()


def status_by_key(shop: Shop, key: Any, method: str = "GET", path: str = "/auth/me", **options: Any) -> int:
    """The status of a call by a key."""
    return shop.send(method, path, headers={"X-API-Key": key["key"]}, **options).status_code


def digest_shown(shop: Shop) -> bool:
    """Tell B5a: a key's digest is answered."""
    account = shop.account()
    return "keyHash" in shop.send("GET", f"/auth/keys/{key_of(shop, account)['id']}", account).json()


def revoked_taken(shop: Shop) -> bool:
    """Tell B5b: a key that was deleted is taken."""
    account = shop.account()
    key = key_of(shop, account)
    assert shop.send("DELETE", f"/auth/keys/{key['id']}", account).status_code == 204
    return status_by_key(shop, key) == 200


def part_taken(shop: Shop) -> bool:
    """Tell B5e: a key without its last letter is taken."""
    key = key_of(shop, shop.account())
    return status_by_key(shop, {**key, "key": key["key"][:-1]}) == 200


def reader_writes(shop: Shop) -> bool:
    """Tell B5c: a key that reads writes a draft."""
    key = key_of(shop, shop.account())
    return status_by_key(shop, key, "POST", "/posts", json={"title": "A", "content": "B"}) == 201


def ended_taken(shop: Shop) -> bool:
    """Tell B5d: a key whose end was written into the past is taken west of UTC."""
    key = key_of(shop, shop.account(), expiresIn=60)

    async def end() -> None:
        database = await shop.application.tenants.get("alpha")
        assert database is not None
        await database.run("UPDATE api_keys SET expires_at = ?", rfc3339(time.time() - 60))

    shop.runner.run(end())
    with west():
        return status_by_key(shop, key) == 200


def role_late(shop: Shop) -> bool:
    """Tell B6a: a role that was just given is not had."""
    account = shop.account()
    shop.send("GET", "/auth/me", account)
    shop.send("PATCH", f"/users/{account.id}/roles", shop.admin, json={"roles": ["admin"]})
    return shop.send("GET", "/admin/stats", account).status_code == 403


def seller_gives(shop: Shop) -> bool:
    """Tell B6b: a seller makes an admin."""
    path, body = f"/users/{shop.account().id}/roles", {"roles": ["admin"]}
    return shop.send("PATCH", path, shop.account("seller"), json=body).status_code == 200


def told_to_sign_in(shop: Shop) -> bool:
    """Tell B6c: who has signed in is told 401."""
    return shop.send("POST", "/categories", shop.account(), json={"name": "A"}).status_code == 401


def unguarded_rpc(shop: Shop) -> bool:
    """Tell G1a: a buyer makes a category over RPC."""
    body = {"json": {"name": "A"}}
    return shop.send("POST", "/api/rpc/categories/create", shop.account(), json=body).status_code in {200, 201}


TELLERS: dict[str, Callable[[Shop], bool]] = {
    "S42": taken_in_the_west,
    "B1a": registered_admin,
    "B5a": digest_shown,
    "B5b": revoked_taken,
    "B5c": reader_writes,
    "B5d": ended_taken,
    "B5e": part_taken,
    "B6a": role_late,
    "B6b": seller_gives,
    "B6c": told_to_sign_in,
    "G1a": unguarded_rpc,
    "B2a": lambda shop: taken(shop, "wrong-audience"),
    "B2b": lambda shop: taken(shop, "expired"),
    "B2c": refreshed_twice,
    "B3a": taken_after_logout,
    "D5a": suspended_enters,
    "D5b": suspended_goes_on,
}
