"""How a defect of who is calling is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.tokens import made
from tests.unit.reference_impl.western import west

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop

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


TELLERS: dict[str, Callable[[Shop], bool]] = {
    "S42": taken_in_the_west,
    "B2a": lambda shop: taken(shop, "wrong-audience"),
    "B2b": lambda shop: taken(shop, "expired"),
    "B2c": refreshed_twice,
    "B3a": taken_after_logout,
}
