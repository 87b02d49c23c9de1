"""How a defect of many at once is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop

ABSENT = "01980000-0000-7000-8000-000000000000"
PASSWORD = "correct horse battery"


def made(shop: Shop, *emails: str) -> Any:
    """Make a user of each e-mail at once and return the answer's body."""
    users = [{"email": email, "password": PASSWORD, "name": "A"} for email in emails]
    answer = shop.send("POST", "/bulk/users", shop.admin, json={"users": users})
    assert answer.status_code == 200, answer.text
    return answer.json()


def passed_over(shop: Shop) -> bool:
    """Tell S16a: an id that is not there is in neither count."""
    answer = shop.send("POST", "/bulk/products", shop.admin, json={"ids": [ABSENT], "discount": 1})
    return bool(answer.json() == {"updated": 0, "failed": []})


def junk_made(shop: Shop) -> bool:
    """Tell S38b: an e-mail that is none is made."""
    return bool(made(shop, "junk")["created"] == 1)


def status_fails(shop: Shop) -> bool:
    """Tell S38c: a suspension is a 500."""
    body = {"ids": [shop.account().id], "status": "suspended"}
    return shop.send("PATCH", "/bulk/users/status", shop.admin, json=body).status_code == 500


def no_ids(shop: Shop) -> bool:
    """Tell S49a: the id is 0."""
    return bool(made(shop, "a@example.test")["results"][0]["user"]["id"] == "0")


def others_lost(shop: Shop) -> bool:
    """Tell S49b: who is told as made beside a taken e-mail cannot be read."""
    result = made(shop, "a@example.test", "admin@example.test")["results"][0]
    return shop.send("GET", f"/users/{result['user']['id']}", shop.admin).status_code == 404


def never_taken(shop: Shop) -> bool:
    """Tell S49c: one id, which stands there once, is refused as if it stood twice."""
    answer = shop.send("POST", "/bulk/products", shop.admin, json={"ids": [ABSENT], "discount": 1})
    return answer.status_code == 400 and "once only" in answer.text


TELLERS: dict[str, Callable[[Shop], bool]] = {
    "S16a": passed_over,
    "S38b": junk_made,
    "S38c": status_fails,
    "S49a": no_ids,
    "S49b": others_lost,
    "S49c": never_taken,
}
