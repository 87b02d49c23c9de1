"""How a defect of HTTP itself is told: what an answer lacks with it planted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop


def no_allow(shop: Shop) -> bool:
    """Tell H1: a 405 has no Allow."""
    answer = shop.send("PUT", "/categories")
    return answer.status_code == 405 and "allow" not in answer.headers


def no_challenge(shop: Shop) -> bool:
    """Tell H2: a 401 has no WWW-Authenticate."""
    answer = shop.send("GET", "/auth/me")
    return answer.status_code == 401 and "www-authenticate" not in answer.headers


def location_elsewhere(shop: Shop) -> bool:
    """Tell H3: the Location of a new category is not found."""
    answer = shop.send("POST", "/categories", shop.account("admin"), json={"name": "Bowls of H3"})
    path = answer.headers["location"].partition("/api/v1")[2]
    return answer.status_code == 201 and shop.send("GET", path).status_code == 404


TELLERS: dict[str, Callable[[Shop], bool]] = {"H1": no_allow, "H2": no_challenge, "H3": location_elsewhere}
