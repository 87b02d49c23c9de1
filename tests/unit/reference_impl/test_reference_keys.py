"""API keys: shown once, held by hash, narrower than their user, over at once when revoked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Account, Shop


def made(shop: Shop, account: Account, *scopes: str, **members: Any) -> dict[str, Any]:
    """A new key."""
    body = {"name": "Backup", "scopes": list(scopes or ("read", "write")), **members}
    answer = shop.send("POST", "/auth/keys", account, json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/v1/auth/keys/{answer.json()['id']}"
    return dict(answer.json())


def by(key: str, **headers: str) -> dict[str, Any]:
    """The options of a request by a key."""
    return {"headers": {"X-API-Key": key, **headers}}


def test_a_key_is_its_user_and_is_shown_once(shop: Shop) -> None:
    """It signs in; get and list tell the hint and not the key, and no table holds it."""
    account = shop.account()
    key = made(shop, account)
    assert shop.send("GET", "/auth/me", **by(key["key"])).json()["id"] == account.id
    shown = {name: value for name, value in key.items() if name != "key"}
    assert shop.send("GET", f"/auth/keys/{key['id']}", account).json() == shown
    assert shop.send("GET", "/auth/keys", account).json()["data"] == [shown]
    assert key["key"].startswith(key["hint"])
    assert len(key["key"]) - len(key["hint"]) > 38
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert database is not None
    rows = shop.runner.run(database.query("SELECT * FROM api_keys"))
    rows += shop.runner.run(database.query("SELECT * FROM audit_log"))
    assert key["key"] not in str(rows)


def test_a_key_without_write_reads_only(shop: Shop) -> None:
    """A write is 403 whatever the roles of its user; write includes read."""
    seller = shop.account("seller")
    body = {"json": {"name": "A", "price": 1, "categoryId": shop.category()}}
    reading, writing = made(shop, seller, "read"), made(shop, seller, "write")
    assert (reading["scopes"], writing["scopes"]) == (["read"], ["read", "write"])
    assert shop.send("GET", "/orders", **by(reading["key"])).status_code == 200
    refused = shop.send("POST", "/products", **by(reading["key"]), **body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert shop.send("POST", "/products", **by(writing["key"]), **body).status_code == 201


def test_a_bad_key_is_401_everywhere(shop: Shop) -> None:
    """Made up, of another tenant, cut, or beside a token, on open routes too."""
    account = shop.account()
    key = made(shop, account)["key"]
    bearer = {"Authorization": f"Bearer {account.token}"}
    bad = [by("x"), by(""), by(key[:-1]), by(key.replace("rk_alpha", "rk_beta")), by("rk_none_x"), by(key, **bearer)]
    bad.append(by(key, **{"X-Tenant-ID": "beta"}))
    for path in ("/products", "/auth/me", "/health"):
        statuses = [shop.send("GET", path, **options).status_code for options in bad]
        assert statuses[:6] == [401] * 6, path
    assert shop.send("GET", "/products", **bad[6]).status_code == 401
    assert shop.send("GET", "/health", **by(key)).status_code == 200


def test_a_revoked_key_is_over_at_once(shop: Shop) -> None:
    """After it is deleted the key is 401 and not there; strangers cannot see or delete it."""
    account, stranger = shop.account(), shop.account()
    key = made(shop, account)
    path = f"/auth/keys/{key['id']}"
    for other in (stranger, shop.admin):
        assert [shop.send(method, path, other).status_code for method in ("GET", "DELETE")] == [404, 404]
    assert shop.send("DELETE", path, account).status_code == 204
    assert shop.send("GET", "/auth/me", **by(key["key"])).status_code == 401
    assert [shop.send(method, path, account).status_code for method in ("GET", "DELETE")] == [404, 404]
    assert shop.send("GET", "/auth/keys", account).json()["pagination"]["total"] == 0


def test_a_key_expires(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """One with a life is over after it; one without is not."""
    account = shop.account()
    short, long = made(shop, account, expiresIn=60), made(shop, account)
    assert "expiresAt" not in long
    start = time.time()
    monkeypatch.setattr(time, "time", lambda: start + 61)
    assert [shop.send("GET", "/auth/me", **by(key["key"])).status_code for key in (short, long)] == [401, 200]


def test_a_key_follows_its_user(shop: Shop) -> None:
    """What a role gives or takes holds for the next call; with the user the key is gone."""
    account = shop.account()
    key = made(shop, account)["key"]

    def create() -> int:
        return shop.send("POST", "/categories", **by(key), json={"name": "A"}).status_code

    assert create() == 403
    shop.send("PATCH", f"/users/{account.id}/roles", shop.admin, json={"roles": ["admin"]})
    assert create() == 201
    shop.send("DELETE", f"/users/{account.id}", shop.admin)
    assert create() == 401


@pytest.mark.parametrize(("method", "path"), [("GET", "/auth/keys"), ("POST", "/auth/keys"), ("GET", "/auth/sessions")])
def test_a_key_rules_no_credentials(shop: Shop, method: str, path: str) -> None:
    """Keys and sessions are kept by a session only, so that a stolen key makes no other."""
    key = made(shop, shop.account())["key"]
    body = {"json": {"name": "B", "scopes": ["read"]}} if method == "POST" else {}
    assert shop.send(method, path, **by(key), **body).status_code == 403


@pytest.mark.parametrize("scopes", [[], ["read", "write", "read"], ["all"], "read"])
def test_scopes_are_of_the_list(shop: Shop, scopes: Any) -> None:
    """None, too many and unknown ones are 400."""
    answer = shop.send("POST", "/auth/keys", shop.account(), json={"name": "A", "scopes": scopes})
    assert answer.status_code == 400
