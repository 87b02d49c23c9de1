"""Passwords: what a hash costs, when it is made anew, and that no other request waits for it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from argon2 import extract_parameters

from reference_impl.data.tenants import open_tenants
from reference_impl.identity.passwords import Passwords
from reference_impl.settings import load

if TYPE_CHECKING:
    from reference_impl.data.database import Row
    from tests.unit.reference_impl.conftest import Shop

ADMIN = "admin@example.test"
PASSWORD = "correct horse battery"
STORED = "SELECT password_hash, updated_at FROM users WHERE email = ?"
AGE = "UPDATE users SET password_hash = ? WHERE email = ?"


def asked(shop: Shop, sql: str, *parameters: str) -> list[Row]:
    """What a statement answers, on tenants of its own."""

    async def ask() -> list[Row]:
        tenants = open_tenants(shop.application.settings)
        try:
            database = await tenants.get("alpha")
            assert database is not None
            return await database.run(sql, *parameters)
        finally:
            await tenants.close()

    return asyncio.run(ask())


def log_in(shop: Shop, password: str) -> int:
    """The status of a login of the admin's."""
    return shop.send("POST", "/auth/login", json={"email": ADMIN, "password": password}).status_code


def test_hashes_cost_what_owasp_asks_for() -> None:
    """Outside verify: Argon2id with 19 MiB, two passes, one lane (Password Storage Cheat Sheet)."""
    for profile in ("development", "staging", "production"):
        told = {"API_PROFILE": profile, "API_DATA": "data", "API_TOKEN_KEY": "k" * 40}
        identity = load(told).identity
        made = Passwords(identity.argon2_time_cost, identity.argon2_memory_kib).hash_now("x")
        assert made.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_hash_of_other_costs_is_made_anew_at_login(shop: Shop) -> None:
    """The right password renews it once, a wrong one never; nothing else of the record changes."""
    old = Passwords(3, 64).hash_now(PASSWORD)
    (before,) = asked(shop, STORED, ADMIN)
    asked(shop, AGE, old, ADMIN)
    assert log_in(shop, "a wrong password") == 401
    assert asked(shop, STORED, ADMIN)[0][0] == old
    assert log_in(shop, PASSWORD) == 200
    (renewed,) = asked(shop, STORED, ADMIN)
    costs = [extract_parameters(row[0]) for row in (before, renewed)]
    assert costs[0] == costs[1] != extract_parameters(old)
    assert renewed[1] == before[1]
    assert log_in(shop, PASSWORD) == 200
    assert asked(shop, STORED, ADMIN) == [renewed]


def test_hashing_keeps_no_other_request_waiting() -> None:
    """A hash and a check of one are made in other threads than the loop's."""
    threads: set[int] = set()

    class Watched(Passwords):
        def hash_now(self, password: str) -> str:
            threads.add(threading.get_ident())
            return super().hash_now(password)

        def _verify(self, password_hash: str, password: str) -> bool:
            threads.add(threading.get_ident())
            return super()._verify(password_hash, password)

    async def work() -> list[bool]:
        passwords = Watched(1, 64)
        made = await passwords.hash(PASSWORD)
        told = (made, PASSWORD), (made, "another"), (None, PASSWORD)
        return [await passwords.holds(password_hash, password) for password_hash, password in told]

    assert asyncio.run(work()) == [True, False, False]
    assert threads
    assert threading.get_ident() not in threads
