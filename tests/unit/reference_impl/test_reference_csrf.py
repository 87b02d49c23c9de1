"""Writes by the session cookie need the session's own token; calls that name their token do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impl.identity import cookies, csrf

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Account, Shop

TEXTS = st.text(min_size=1, max_size=40)


@given(TEXTS, TEXTS, TEXTS)
def test_a_token_holds_for_its_own_session_and_key(key: str, session: str, other: str) -> None:
    """What was made for one session holds for it and for no other, nor under another key."""
    token = csrf.make(key, session)
    assert csrf.holds(key, session, token)
    assert csrf.holds(key, other, token) == (other == session)
    assert csrf.holds(other, session, token) == (other == key)
    assert not csrf.holds(key, session, other)


@given(st.lists(st.sampled_from(["a=1", "session=x", " session = y ", "sessions=z", "session", ""])))
def test_the_first_cookie_of_a_name_is_read(parts: list[str]) -> None:
    """Neighbours whose names begin alike, parts without a value and spaces do not confuse it."""
    values = [part.split("=")[1].strip() for part in parts if part.split("=")[0].strip() == "session" and "=" in part]
    assert cookies.read(";".join(parts), "session") == (values[0] if values else None)


def browser(shop: Shop, account: Account, **headers: str) -> dict[str, str]:
    """The headers a browser sends with both cookies set; None removes one."""
    session = jwt.decode(account.token, options={"verify_signature": False})["sid"]
    token = csrf.make(shop.application.settings.identity.token_key, session)
    told = {"Cookie": f"csrf={token}; session={account.token}", "X-CSRF-Token": token, **headers}
    return {name: value for name, value in told.items() if value}


def write(shop: Shop, headers: dict[str, str]) -> Any:
    """Rename oneself."""
    return shop.send("POST", "/categories", headers=headers, json={"name": f"C{shop.accounts}"})


def test_the_cookie_reads_without_a_token(shop: Shop) -> None:
    """A read by the cookie is the caller's own, whatever page sent it."""
    account = shop.account()
    answer = shop.send("GET", "/auth/me", headers=browser(shop, account, **{"X-CSRF-Token": "", "Origin": "http://e"}))
    assert (answer.status_code, answer.json()["id"]) == (200, account.id)


def test_a_write_by_the_cookie_needs_its_token(shop: Shop) -> None:
    """With the token it is done; without it, or with another session's, it is 403 and nothing is done."""
    foreign = browser(shop, shop.account())["X-CSRF-Token"]
    for token in ("", "x", "é", foreign):
        headers = browser(shop, shop.admin, **{"X-CSRF-Token": token})
        sent = {name: value.encode() for name, value in headers.items()}
        assert shop.send("POST", "/categories", headers=sent, json={"name": "A"}).status_code == 403
    assert shop.send("GET", "/categories").json()["total"] == 0
    assert write(shop, browser(shop, shop.admin)).status_code == 201


def test_a_write_that_names_its_token_needs_no_other(shop: Shop) -> None:
    """With an Authorization header the cookie is not looked at, as no browser adds that header by itself."""
    headers = {"Authorization": f"Bearer {shop.admin.token}", "Cookie": "session=bad", "Origin": "http://evil.test"}
    assert write(shop, headers).status_code == 201


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://shop.test"}, 201),
        ({"Origin": "https://front.test"}, 201),
        ({"Referer": "http://shop.test/page?x"}, 201),
        ({"Origin": "https://shop.test"}, 403),
        ({"Origin": "http://shop.test.evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.test", "Referer": "http://shop.test/"}, 403),
        ({"Referer": "http://evil.test/http://shop.test"}, 403),
        ({"Referer": "http://["}, 403),
    ],
)
def test_a_write_by_the_cookie_comes_from_an_allowed_origin(
    open_shop: Callable[..., Shop], headers: dict[str, str], status: int
) -> None:
    """Origin, or else Referer, is this host or one of the settings; the token alone does not do."""
    shop = open_shop(cors_origins=("https://front.test",))
    assert write(shop, browser(shop, shop.admin, **headers)).status_code == status


def test_a_bad_cookie_is_401_and_removed(shop: Shop) -> None:
    """On every route, open ones too, and the answer takes both cookies away."""
    answer = shop.send("GET", "/products", headers={"Cookie": "session=bad"})
    removed = [value.split(";")[0] for value in answer.headers.get_list("set-cookie")]
    assert (answer.status_code, removed) == (401, ["session=", "csrf="])


def test_a_cookie_does_not_stand_in_the_way_of_a_login(shop: Shop) -> None:
    """What opens a session does not look at an old one's cookie, good or bad; what ends one does."""
    body = {"email": "admin@example.test", "password": "correct horse battery"}
    for cookie in ("session=bad", f"session={shop.admin.token}"):
        assert shop.send("POST", "/auth/login", headers={"Cookie": cookie}, json=body).status_code == 200
    assert shop.send("POST", "/auth/logout", headers={"Cookie": "session=bad"}).status_code == 401


def test_the_cookies_are_set_as_browsers_guard_them() -> None:
    """Only the session is hidden from scripts; both are SameSite, and Secure over https."""
    plain = [value.decode() for _, value in cookies.issue("k", "s", "token", 60, secure=False)]
    assert plain[0] == "session=token; Path=/; Max-Age=60; SameSite=Lax; HttpOnly"
    assert plain[1] == f"csrf={csrf.make('k', 's')}; Path=/; Max-Age=60; SameSite=Lax"
    assert all("; Secure" in value.decode() for _, value in cookies.issue("k", "s", "t", 60, secure=True))
