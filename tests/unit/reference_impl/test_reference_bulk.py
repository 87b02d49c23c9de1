"""Many users at once: good rows are kept, bad ones told by index; suspended users are out."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from reference_impl.identity.passwords import Passwords
from reference_impl.procedures.bulk import judged
from reference_impl.procedures.bulk_types import RowError, UserRow

if TYPE_CHECKING:
    import pytest
    from conftest import Account, Shop

PASSWORD = "correct horse battery"
NOBODY = "01980000-0000-7000-8000-000000000000"
TEXTS = st.text(max_size=30)
WAIT_S = 20


@given(TEXTS, TEXTS, TEXTS)
def test_a_row_is_an_account_or_an_error_that_names_no_value(email: str, password: str, name: str) -> None:
    """Whatever the texts are, they are judged; what is told of a bad row is not what it held."""
    told = judged(UserRow(email, password, name))
    if isinstance(told, RowError):
        assert told.code == "VALIDATION_ERROR"
        assert len(password) < 8 or password not in told.message
    else:
        assert (told.email, told.password, told.name) == (email, password, name)
        assert 8 <= len(password) <= 128


def row(email: str, **members: Any) -> dict[str, Any]:
    """One row."""
    return {"email": email, "password": PASSWORD, "name": "Bulk", **members}


def made(shop: Shop, *rows: dict[str, Any]) -> dict[str, Any]:
    """What a bulk insert answers."""
    answer = shop.send("POST", "/bulk/users", shop.admin, json={"users": list(rows)})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def suspend(shop: Shop, *ids: str, status: str = "suspended", by: Account | None = None) -> Any:
    """The answer to a change of status."""
    return shop.send("PATCH", "/bulk/users/status", by or shop.admin, json={"ids": list(ids), "status": status})


def test_good_rows_are_kept_and_bad_ones_told(shop: Shop) -> None:
    """A wrong e-mail, a short password, one in use and one twice fail by index; the rest have real ids."""
    taken = shop.account()
    rows = [
        row("a@example.test"),
        row("no address"),
        row("b@example.test", password="short"),
        row("USER1@example.test"),
        row("A@Example.test"),
        row("c@example.test", name=""),
        row("d@example.test"),
    ]
    answer = made(shop, *rows)
    assert (answer["created"], answer["failed"]) == (2, 5)
    assert [one["index"] for one in answer["results"]] == list(range(7))
    codes = [one.get("error", {}).get("code") for one in answer["results"]]
    invalid = "VALIDATION_ERROR"
    assert codes == [None, invalid, invalid, "CONFLICT", "CONFLICT", invalid, None]
    for one in answer["results"]:
        if "user" in one:
            assert shop.send("GET", f"/users/{one['user']['id']}", shop.admin).json() == one["user"]
    assert shop.login("d@example.test").id == answer["results"][6]["user"]["id"]
    assert shop.send("GET", f"/users/{taken.id}", shop.admin).json()["name"] == "User 1"


def test_bulk_is_for_admins_and_bounded(shop: Shop) -> None:
    """Nobody 401, others 403; none, more than 100, and a row of the wrong form are 400 for the whole."""
    account = shop.account("seller")
    for method, path in (("POST", "/bulk/users"), ("PATCH", "/bulk/users/status")):
        assert shop.send(method, path, json={}).status_code == 401
        assert shop.send(method, path, account, json={}).status_code == 403
    for users in (
        [],
        [row(f"u{n}@example.test") for n in range(101)],
        [{"email": 1}],
        [row("a@b.test", roles=["admin"])],
    ):
        assert shop.send("POST", "/bulk/users", shop.admin, json={"users": users}).status_code == 400
    assert suspend(shop, account.id, account.id).status_code == 400
    assert suspend(shop).status_code == 400
    assert suspend(shop, *[f"01980000-0000-7000-8000-{n:012d}" for n in range(101)]).status_code == 400
    assert suspend(shop, account.id, status="gone").status_code == 400
    assert shop.send("GET", "/users", shop.admin).json()["pagination"]["total"] == 2


def test_a_suspended_user_is_out_until_let_in(shop: Shop) -> None:
    """Sessions, refresh tokens and keys hold no more, a login is refused; afterwards a login is enough."""
    account = shop.account()
    key = shop.send("POST", "/auth/keys", account, json={"name": "K", "scopes": ["read"]}).json()["key"]
    login = {"email": "user1@example.test", "password": PASSWORD}
    refresh = {"refreshToken": shop.send("POST", "/auth/login", json=login).json()["refreshToken"]}
    assert suspend(shop, account.id).json() == {"updated": 1, "failed": []}
    assert shop.send("GET", "/auth/me", account).status_code == 401
    assert shop.send("GET", "/auth/me", headers={"X-API-Key": key}).status_code == 401
    assert shop.send("POST", "/auth/refresh", json=refresh).status_code == 401
    assert shop.send("POST", "/auth/login", json=login).status_code == 401
    assert shop.send("GET", f"/users/{account.id}", shop.admin).json()["status"] == "suspended"
    assert suspend(shop, account.id, status="active").json() == {"updated": 1, "failed": []}
    assert shop.send("GET", "/auth/me", account).status_code == 401
    assert shop.send("GET", "/auth/me", shop.login("user1@example.test")).json()["status"] == "active"


def test_every_id_is_updated_or_failed(shop: Shop) -> None:
    """Absent and deleted users, oneself and the last admin fail; the others are done."""
    one, two, gone = shop.account(), shop.account(), shop.account()
    shop.send("DELETE", f"/users/{gone.id}", shop.admin)
    answer = suspend(shop, two.id, NOBODY, one.id, gone.id, shop.admin.id).json()
    assert answer == {"updated": 2, "failed": [NOBODY, gone.id, shop.admin.id]}
    assert suspend(shop, one.id).json() == {"updated": 1, "failed": []}
    other = shop.account("admin")
    assert suspend(shop, shop.admin.id, by=other).json() == {"updated": 1, "failed": []}
    assert shop.send("DELETE", f"/users/{other.id}", other).status_code == 409


def test_a_login_does_not_wait_for_a_bulk_insert(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bulk insert whose rows are hashed only once somebody has logged in is still answered."""
    shop.account()
    logged_in, hash_now = threading.Event(), Passwords.hash_now

    def waiting(self: Passwords, password: str) -> str:
        assert logged_in.wait(WAIT_S), "nobody could log in while the rows were hashed"
        return hash_now(self, password)

    monkeypatch.setattr(Passwords, "hash_now", waiting)

    async def sent(path: str, by: Account | None, body: dict[str, Any]) -> int:
        return (await shop._one("POST", path, by, {"json": body})).status_code

    async def run() -> list[int]:
        rows = [row(f"u{n}@example.test") for n in range(30)]
        bulk = asyncio.create_task(sent("/bulk/users", shop.admin, {"users": rows}))
        login = await sent("/auth/login", None, {"email": "user1@example.test", "password": PASSWORD})
        logged_in.set()
        return [login, await bulk]

    assert shop.runner.run(run()) == [200, 200]
