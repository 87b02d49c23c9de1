"""Sessions: refreshed by a token that is good once, listed and ended by their user, over when they say."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impl.data.tenants import open_tenants
from reference_impl.identity import opaque

PASSWORD = "correct horse battery"

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop

KEYS = st.text(min_size=1, max_size=40)


@given(KEYS, KEYS, KEYS)
def test_a_digest_is_of_one_key_and_one_secret(key: str, secret: str, other: str) -> None:
    """Equal only where key, purpose and secret are; it never shows the secret."""
    stored = opaque.digest(key, "refresh", secret)
    assert (stored == opaque.digest(key, "refresh", other)) == (secret == other)
    assert (stored == opaque.digest(other, "refresh", secret)) == (key == other)
    assert stored not in {opaque.digest(key, "key", secret), opaque.digest(key, "state", secret)}
    assert opaque.make() != opaque.make()


def opened(shop: Shop, email: str = "user1@example.test", **members: Any) -> dict[str, Any]:
    """What a login answers; the account is made when it is the first."""
    if not shop.accounts:
        shop.account()
    answer = shop.send("POST", "/auth/login", json={"email": email, "password": PASSWORD, **members})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def refreshed(shop: Shop, token: str) -> Any:
    """The answer to a refresh."""
    return shop.send("POST", "/auth/refresh", json={"refreshToken": token})


def status(shop: Shop, token: str) -> int:
    """What an access token gets."""
    return shop.send("GET", "/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code


def events(shop: Shop) -> list[tuple[str, str]]:
    """The ends of sessions as they were told."""
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert database is not None
    query = database.query("SELECT channel, type FROM events WHERE channel = 'sessions' ORDER BY id")
    return [(row[0], row[1]) for row in shop.runner.run(query)]


def test_a_refresh_token_gets_the_next_pair(shop: Shop) -> None:
    """Each answer has a new refresh token and an access token of the same session."""
    first = opened(shop)
    second = refreshed(shop, first["refreshToken"]).json()
    third = refreshed(shop, second["refreshToken"]).json()
    assert len({one["refreshToken"] for one in (first, second, third)}) == 3
    assert [status(shop, one["accessToken"]) for one in (first, second, third)] == [200, 200, 200]
    assert third["user"] == first["user"]
    assert 0 < third["refreshExpiresIn"] <= first["refreshExpiresIn"] == 2_592_000
    listed = shop.send("GET", "/auth/sessions", headers={"Authorization": f"Bearer {third['accessToken']}"}).json()
    assert listed["pagination"]["total"] == 2
    assert [one["current"] for one in listed["data"]] == [True, False]


def test_a_spent_refresh_token_ends_its_session(shop: Shop) -> None:
    """The second use is 401 and takes every token of the session along; another session lives."""
    other, first = opened(shop), opened(shop)
    second = refreshed(shop, first["refreshToken"]).json()
    again = refreshed(shop, first["refreshToken"])
    assert (again.status_code, again.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    assert refreshed(shop, second["refreshToken"]).status_code == 401
    assert [status(shop, one["accessToken"]) for one in (first, second, other)] == [401, 401, 200]
    assert events(shop) == [("sessions", "revoked")]


def test_of_refreshes_at_once_one_wins_and_the_session_ends(shop: Shop) -> None:
    """A token in two hands is a stolen token, whoever comes first."""
    first = opened(shop)
    body = {"json": {"refreshToken": first["refreshToken"]}}
    answers = shop.together([("POST", "/auth/refresh", None, dict(body)) for _ in range(5)])
    assert sorted(one.status_code for one in answers) == [200, 401, 401, 401, 401]
    winner = next(one for one in answers if one.status_code == 200).json()
    assert status(shop, winner["accessToken"]) == 401
    assert refreshed(shop, winner["refreshToken"]).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a.b", "ä", None, 1])
def test_a_made_up_refresh_token_does_not_hold(shop: Shop, token: object) -> None:
    """What cannot be one is 400, what could is 401."""
    answer = shop.send("POST", "/auth/refresh", json={"refreshToken": token})
    assert answer.status_code == (401 if token == "x" else 400)


def test_a_session_ends_when_its_login_said(open_shop: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch) -> None:
    """Refreshing does not lengthen it; the access token's life is apart from it."""
    shop = open_shop(token_life_s=60, refresh_life_s=100)
    start = time.time()
    monkeypatch.setattr(time, "time", lambda: start - 70)
    first = opened(shop)
    monkeypatch.setattr(time, "time", lambda: start)
    assert status(shop, first["accessToken"]) == 401
    second = refreshed(shop, first["refreshToken"]).json()
    assert (second["refreshExpiresIn"] <= 30, second["expiresIn"] <= 30) == (True, True)
    assert status(shop, second["accessToken"]) == 200
    monkeypatch.setattr(time, "time", lambda: start + 31)
    assert status(shop, second["accessToken"]) == 401
    assert refreshed(shop, second["refreshToken"]).status_code == 401


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati"])
def test_the_servers_time_zone_moves_no_expiry(
    open_shop: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """A session is as long where the clock on the wall is hours off."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        shop = open_shop(refresh_life_s=100)
        first = opened(shop)
        assert status(shop, first["accessToken"]) == 200
        start = time.time()
        monkeypatch.setattr(time, "time", lambda: start + 101)
        assert status(shop, first["accessToken"]) == 401
        assert refreshed(shop, first["refreshToken"]).status_code == 401
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_user_ends_own_sessions_only(shop: Shop) -> None:
    """A session is ended by its id, once; another's and an ended one are not there."""
    account, stranger = shop.account(), shop.account()
    (session,) = shop.send("GET", "/auth/sessions", account).json()["data"]
    path = f"/auth/sessions/{session['id']}"
    assert shop.send("DELETE", path).status_code == 401
    assert shop.send("DELETE", path, stranger).status_code == 404
    assert shop.send("DELETE", path, shop.admin).status_code == 404
    assert shop.send("DELETE", path, account).status_code == 204
    assert shop.send("GET", "/auth/me", account).status_code == 401
    again = shop.login("user1@example.test")
    assert shop.send("DELETE", path, again).status_code == 404
    assert events(shop) == [("sessions", "revoked")]


def test_logout_takes_the_refresh_token_along(shop: Shop) -> None:
    """After it neither token of the session holds."""
    first = opened(shop)
    assert (
        shop.send("POST", "/auth/logout", headers={"Authorization": f"Bearer {first['accessToken']}"}).status_code
        == 204
    )
    assert (status(shop, first["accessToken"]), refreshed(shop, first["refreshToken"]).status_code) == (401, 401)


def test_tokens_of_one_tenant_do_not_hold_in_another(shop: Shop) -> None:
    """The refresh token is unknown there, and is not spent by trying."""
    first = opened(shop)
    body = {"json": {"refreshToken": first["refreshToken"]}, "headers": {"X-Tenant-ID": "beta"}}
    assert shop.send("POST", "/auth/refresh", **body).status_code == 401
    assert refreshed(shop, first["refreshToken"]).status_code == 200


def test_nothing_stored_is_a_token(shop: Shop) -> None:
    """The tables hold hashes; no refresh token stands in the file."""
    token = opened(shop)["refreshToken"]
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert database is not None
    rows = shop.runner.run(database.query("SELECT token_hash FROM refresh_tokens"))
    assert len(rows) == 3
    assert token not in str(rows)


def test_what_holds_a_token_is_not_stored_on_the_way(shop: Shop) -> None:
    """Answers to a login, a refresh and the making of a key tell every cache to keep nothing."""
    login = shop.send("POST", "/auth/login", json={"email": "admin@example.test", "password": PASSWORD})
    renewed = shop.send("POST", "/auth/refresh", json={"refreshToken": login.json()["refreshToken"], "cookie": True})
    key = shop.send("POST", "/auth/keys", shop.admin, json={"name": "Till", "scopes": ["read"]})
    assert [answer.headers["cache-control"] for answer in (login, renewed, key)] == ["no-store"] * 3


def test_requests_that_come_first_together_share_a_database(shop: Shop) -> None:
    """Whoever opens a tenant's database meanwhile uses the one that is open then."""
    tenants = open_tenants(shop.application.settings)

    async def ask() -> int:
        try:
            return len({id(one) for one in await asyncio.gather(*[tenants.get("alpha") for _ in range(5)])})
        finally:
            await tenants.close()

    assert shop.runner.run(ask()) == 1


def test_a_browser_asks_for_cookies(shop: Shop) -> None:
    """Only then they are set; they sign in, are renewed by refreshing and go with the logout."""
    shop.account()
    body = {"email": "user1@example.test", "password": PASSWORD}
    assert shop.send("POST", "/auth/login", json=body).headers.get("set-cookie") is None
    answer = shop.send("POST", "/auth/login", json={**body, "cookie": True})
    told = dict(one.split(";")[0].split("=", 1) for one in answer.headers.get_list("set-cookie"))
    assert set(told) == {"session", "csrf"}
    shop.client.cookies.clear()
    browser = {"Cookie": f"session={told['session']}; csrf={told['csrf']}"}
    assert shop.send("GET", "/auth/me", headers=browser).json()["email"] == "user1@example.test"
    renewed = shop.send("POST", "/auth/refresh", json={"refreshToken": answer.json()["refreshToken"], "cookie": True})
    assert len(renewed.headers.get_list("set-cookie")) == 2
    shop.client.cookies.clear()
    assert shop.send("POST", "/auth/logout", headers=browser).status_code == 403
    gone = shop.send("POST", "/auth/logout", headers={**browser, "X-CSRF-Token": told["csrf"]})
    assert (gone.status_code, "Max-Age=0" in gone.headers["set-cookie"]) == (204, True)
    shop.client.cookies.clear()
    assert shop.send("GET", "/auth/me", headers=browser).status_code == 401
