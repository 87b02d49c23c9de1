"""Who walks: customers, sellers and admins, registered for one load and signed in; and whoever is there by hand."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from harness.identities import Identity
from scenarios.load.request import TOO_MANY, needed, request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.load.journey import Journey, Step

TOKENS = ("/accessToken", "/refreshToken")


def new_account(name: str) -> dict[str, str]:
    """What registers somebody whom no other load has registered."""
    return {
        "email": f"load-{secrets.token_hex(8)}@example.test",
        "password": secrets.token_urlsafe(18),
        "name": f"{name.capitalize()} under load",
    }


def registration(account: Mapping[str, str], where: Mapping[str, str]) -> Step:
    """The step that registers an account; `where` are the headers that name the tenant."""
    return request("auth.register", "POST", "/auth/register", Identity("new", headers=tuple(where.items())), account)


def login(account: Mapping[str, str], where: Mapping[str, str]) -> Step:
    """The step that signs an account in."""
    body = {name: account[name] for name in ("email", "password")}
    step = request("auth.login", "POST", "/auth/login", Identity("known", headers=tuple(where.items())), body)
    return step._replace(secret_pointers=TOKENS)


def with_token(name: str, roles: tuple[str, ...], token: str, where: Mapping[str, str]) -> Identity:
    """The identity that a token proves."""
    return Identity(name, roles, headers=tuple({**where, "Authorization": f"Bearer {token}"}.items()))


def newcomers(name: str, count: int, where: Mapping[str, str]) -> Journey[tuple[Identity, ...]]:
    """So many new people, fewer where registration is limited, one at least; their ids are among their facts."""
    found: list[Identity] = []
    for number in range(count):
        account = new_account(name)
        reply = yield registration(account, where)
        if reply.status == TOO_MANY and found:
            break
        needed(reply, f"register a {name}")
        found.append((yield from _signed_in(f"{name}-{number}", ("user",), account, where)))
    return tuple(found)


def staff(role: str, count: int, admin: Identity, where: Mapping[str, str]) -> Journey[tuple[Identity, ...]]:
    """Newcomers to whom an admin gives a role: each has a quota of its own."""
    found = []
    for person in (yield from newcomers(role, count, where)):
        roles = ["user", role]
        granted = yield request("users.roles", "PATCH", f"/users/{person.id}/roles", admin, {"roles": roles})
        needed(granted, f"give the role {role}")
        found.append(Identity(person.name, tuple(roles), headers=person.headers, facts=person.facts))
    return tuple(found)


def admin_by_hand() -> Journey[Identity | None]:
    """The admin of LOAD_ADMIN_EMAIL and LOAD_ADMIN_PASSWORD; None where the environment tells none."""
    email, password = os.environ.get("LOAD_ADMIN_EMAIL"), os.environ.get("LOAD_ADMIN_PASSWORD")
    if not email or not password:
        return None
    return (yield from _signed_in("admin", ("admin",), {"email": email, "password": password}, {}))


def _signed_in(
    name: str, roles: tuple[str, ...], account: Mapping[str, str], where: Mapping[str, str]
) -> Journey[Identity]:
    content = needed((yield login(account, where)), f"sign in {name}")
    identity = with_token(name, roles, content["accessToken"], where)
    return Identity(name, roles, headers=identity.headers, facts={"id": content["user"]["id"]})
