"""The benchmark's requests about people: accounts, sessions, keys, users, posts."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import served
from plans import FEW, WRITES, Plan, every, made, read, send, use_up

from reference_impl.identity.cookies import STATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from served import Served

_NUMBERS = itertools.count()


def person(_number: int) -> dict[str, str]:
    """A new account's body."""
    who = next(_NUMBERS)
    return {"email": f"person{who}@example.test", "password": served.PASSWORD, "name": f"Person {who}"}


def of(server: Served, *, hashing: bool) -> dict[str, Callable[[], Plan]]:
    """The plan of each operation, made when it is asked for."""
    return {
        **_accounts(server, hashing=hashing),
        **_logins(server),
        **_users(server, hashing=hashing),
        **_posts(server),
    }


def _sessions(server: Served, count: int) -> list[dict[str, Any]]:
    """So many sessions of one seller, each with its tokens."""
    credentials = {"email": "seller@example.test", "password": served.PASSWORD}
    tokens = made(server, lambda _: send("POST", "/auth/login", {}, credentials), count, "")
    return [{**body, "headers": {"Authorization": f"Bearer {body['accessToken']}"}} for body in tokens]


def _accounts(server: Served, *, hashing: bool) -> dict[str, Callable[[], Plan]]:
    user = server.facts["user"]
    count = FEW if hashing else WRITES
    credentials = {"email": "seller@example.test", "password": served.PASSWORD}

    def logout() -> Plan:
        return use_up(_sessions(server, every(WRITES)), 204, lambda one: send("POST", "/auth/logout", one["headers"]))

    def refresh() -> Plan:
        return use_up(
            _sessions(server, every(WRITES)),
            200,
            lambda one: send("POST", "/auth/refresh", {}, {"refreshToken": one["refreshToken"]}),
        )

    def revoke() -> Plan:
        _sessions(server, every(WRITES))
        listed: list[str] = []
        while len(listed) < every(WRITES):
            told = served.call(
                server.port,
                "GET",
                f"/api/v1/auth/sessions?limit=100&offset={len(listed)}",
                None,
                server.facts["seller"],
            )
            listed += [item["id"] for item in told["data"] if not item["current"]]
            if len(told["data"]) < 100:
                break
        return use_up(listed, 204, lambda one: send("DELETE", f"/auth/sessions/{one}", server.facts["seller"]))

    def key(_number: int) -> bytes:
        return send("POST", "/auth/keys", user, {"name": "key", "scopes": ["read"]})

    return {
        "auth.register": lambda: Plan(201, lambda n: send("POST", "/auth/register", {}, person(n)), count, reads=False),
        "auth.login": lambda: Plan(
            200, lambda _: send("POST", "/auth/login", {}, credentials), count, reads=False, objective_ms=1000
        ),
        "auth.logout": logout,
        "auth.me": partial(read, "/auth/me", user),
        "auth.refresh": refresh,
        "sessions.list": partial(read, "/auth/sessions", user),
        "sessions.revoke": revoke,
        "keys.list": partial(read, "/auth/keys", user),
        "keys.create": lambda: Plan(201, key, WRITES, reads=False),
        "keys.get": lambda: read(f"/auth/keys/{made(server, key, 1)[0]}", user),
        "keys.delete": lambda: use_up(
            made(server, key, every(WRITES)), 204, lambda one: send("DELETE", f"/auth/keys/{one}", user)
        ),
    }


def _logins(server: Served) -> dict[str, Callable[[], Plan]]:
    """Logins by the provider: GET both, and writes both."""
    start = send("GET", "/auth/oauth/start", {})

    def callback() -> Plan:
        begun = made(server, lambda _: start, every(WRITES), "authorizationUrl")
        asked = [parse_qs(urlsplit(url).query) for url in begun]
        return use_up([(query["state"][0], query["nonce"][0]) for query in asked], 200, back)

    def back(login: tuple[str, str]) -> bytes:
        state, code = login
        return send("GET", f"/auth/oauth/callback?state={state}&code={code}", {"Cookie": f"{STATE}={state}"})

    return {
        "oauth.start": lambda: Plan(200, lambda _: start, WRITES, reads=False),
        "oauth.callback": callback,
    }


def _users(server: Served, *, hashing: bool) -> dict[str, Callable[[], Plan]]:
    admin, own = server.facts["admin"], server.facts["userId"]
    count = FEW if hashing else WRITES

    def create(number: int) -> bytes:
        return send("POST", "/users", admin, person(number))

    def bulk(number: int) -> bytes:
        return send("POST", "/bulk/users", admin, {"users": [person(number) for _ in range(5)]})

    def status() -> Plan:
        ids = made(server, create, 10)
        body = {"ids": ids, "status": "active"}
        return Plan(200, lambda _: send("PATCH", "/bulk/users/status", admin, body), WRITES, reads=False)

    return {
        "users.bulkCreate": lambda: Plan(200, bulk, FEW, reads=False, objective_ms=2000),
        "users.bulkStatus": status,
        "users.list": partial(read, "/users?limit=20", admin),
        "users.create": lambda: Plan(201, create, count, reads=False, objective_ms=1000),
        "users.get": partial(read, f"/users/{own}", admin),
        "users.update": lambda: Plan(
            200, lambda n: send("PATCH", f"/users/{own}", admin, {"name": f"Name {n}"}), WRITES, reads=False
        ),
        "users.delete": lambda: use_up(
            made(server, create, every(WRITES)), 204, lambda one: send("DELETE", f"/users/{one}", admin)
        ),
        "users.roles": lambda: Plan(
            200, lambda _: send("PATCH", f"/users/{own}/roles", admin, {"roles": ["user"]}), WRITES, reads=False
        ),
        "admin.stats": partial(read, "/admin/stats", admin),
        "admin.audit": partial(read, "/admin/audit", admin),
        "settings.get": partial(read, "/settings", admin),
        "settings.update": lambda: Plan(
            200, lambda n: send("PATCH", "/settings", admin, {"lowStockThreshold": n % 50}), WRITES, reads=False
        ),
        "sockets.ticket": lambda: Plan(200, lambda _: send("POST", "/ws/tickets", admin), WRITES, reads=False),
    }


def _posts(server: Served) -> dict[str, Callable[[], Plan]]:
    user = server.facts["user"]
    body = {"title": "How a bowl is turned", "content": "Slowly. " * 40}

    def create(_number: int) -> bytes:
        return send("POST", "/posts", user, body)

    def publish() -> Plan:
        things = made(server, create, every(WRITES))
        return use_up(things, 200, lambda one: send("PUT", f"/posts/{one}/publish", user))

    def update() -> Plan:
        (post,) = made(server, create, 1)
        return Plan(200, lambda n: send("PATCH", f"/posts/{post}", user, {"title": f"T {n}"}), WRITES, reads=False)

    return {
        "posts.create": lambda: Plan(201, create, WRITES, reads=False),
        "posts.publish": publish,
        "posts.list": partial(read, "/posts?limit=20", user),
        "posts.get": lambda: read(f"/posts/{made(server, create, 1)[0]}", user),
        "posts.update": update,
        "posts.delete": lambda: use_up(
            made(server, create, every(WRITES)), 204, lambda one: send("DELETE", f"/posts/{one}", user)
        ),
    }
