"""Tells each planted defect of browsers that are signed in by a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.reference_impl.tellers_callers import ADMIN, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop

OWN = "own"


def signed_in(shop: Shop) -> tuple[dict[str, str], list[str]]:
    """The cookies of a browser that just signed in, and the headers that set them."""
    body = {"email": ADMIN, "password": PASSWORD, "cookie": True}
    told = shop.send("POST", "/auth/login", json=body).headers.get_list("set-cookie")
    return dict(text.split(";")[0].split("=", 1) for text in told), told


def written(shop: Shop, method: str, token: str | None, **more: str) -> int:
    """The status of a write by a fresh browser's cookies, with the token of a header; `own` is that browser's."""
    cookies, _ = signed_in(shop)
    token = cookies["csrf"] if token == OWN else token
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    headers |= {**more, **({"X-CSRF-Token": token} if token is not None else {})}
    path = f"/categories/{shop.category()}" if method == "DELETE" else "/categories"
    body = {} if method == "DELETE" else {"json": {"name": "Cups"}}
    return shop.send(method, path, headers=headers, **body).status_code


def forged(shop: Shop) -> bool:
    """Tell A15a: a write without the token is taken."""
    return written(shop, "POST", None) == 201


def forged_by_another(shop: Shop) -> bool:
    """Tell A15b: the token of another session is taken, none is not."""
    other = signed_in(shop)[0]["csrf"]
    return written(shop, "POST", other) == 201 and written(shop, "POST", None) == 403


def deleted_by_another(shop: Shop) -> bool:
    """Tell A15c: a delete without the token is taken, a create is not."""
    return written(shop, "DELETE", None) == 204 and written(shop, "POST", None) == 403


def read_by_scripts(shop: Shop) -> bool:
    """Tell A15d: the session's cookie has no HttpOnly."""
    return any(text.startswith("session=") and "HttpOnly" not in text for text in signed_in(shop)[1])


def written_from_afar(shop: Shop) -> bool:
    """Tell A15e: a page of another origin writes with the session's own token, and without one it does not."""
    foreign = {"Origin": "https://foreign.example"}
    return written(shop, "POST", OWN, **foreign) == 201 and written(shop, "POST", None, **foreign) == 403


def unread(shop: Shop) -> bool:
    """Tell A15f: who has just signed in by a cookie is nobody."""
    cookies, _ = signed_in(shop)
    header = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    return shop.send("GET", "/auth/me", headers=header).status_code == 401


TELLERS: dict[str, Callable[[Shop], bool]] = {
    "A15a": forged,
    "A15b": forged_by_another,
    "A15c": deleted_by_another,
    "A15d": read_by_scripts,
    "A15e": written_from_afar,
    "A15f": unread,
}
