"""Journeys through an account: a customer looks at itself and cancels an order, a newcomer registers and leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.identities import Identity
from harness.load.journey import Route
from scenarios.load.people import TOKENS, login, new_account, registration, with_token
from scenarios.load.request import CREATED, id_of, object_of, request, surroundings
from scenarios.load.shop import ordering

if TYPE_CHECKING:
    from harness.load.journey import Journey, Visit

KEY, TICKET = "/key", "/ticket"


def profile(visit: Visit) -> Journey[None]:
    """Asks who one is, and reads the page that others see."""
    user = id_of((yield request("auth.me", "GET", "/auth/me", visit.identity)))
    if user:
        yield request("users.get", "GET", f"/users/{user}", visit.identity)


def second_thoughts(visit: Visit) -> Journey[None]:
    """Orders, looks at the order, cancels it, and looks at the orders there are."""
    products = visit.ground.facts["products"]
    if products:
        order = id_of((yield ordering(visit, visit.random.choice(products))))
        if order:
            yield request("orders.get", "GET", f"/orders/{order}", visit.identity)
            yield request("orders.cancel", "POST", f"/orders/{order}/cancel", visit.identity)
    yield request("orders.list", "GET", "/orders?limit=20", visit.identity)


def visitor(visit: Visit) -> Journey[None]:
    """Registers, logs in twice, goes on with fresh tokens, ends the other session and logs out."""
    where, account = surroundings(visit.identity), new_account("visitor")
    registered = yield registration(account, where)
    if registered.status != CREATED:
        return
    if not object_of((yield login(account, where))):
        return
    told = object_of((yield login(account, where)))
    body = {"refreshToken": told.get("refreshToken")}
    renewal = request("auth.refresh", "POST", "/auth/refresh", Identity("known", headers=tuple(where.items())), body)
    told = object_of((yield renewal._replace(secret_pointers=TOKENS)))
    if not told:
        return
    who = with_token("visitor", ("user",), told["accessToken"], where)
    sessions = object_of((yield request("sessions.list", "GET", "/auth/sessions?limit=20", who)))
    other = next((entry["id"] for entry in sessions.get("data", ()) if not entry["current"]), None)
    if other:
        yield request("sessions.revoke", "DELETE", f"/auth/sessions/{other}", who)
    yield request("auth.logout", "POST", "/auth/logout", who)


def keyholder(visit: Visit) -> Journey[None]:
    """Makes an API key, looks at it and at all there are, and ends it; a ticket for a socket is drawn beside."""
    asked = request("keys.create", "POST", "/auth/keys", visit.identity, {"name": "load", "scopes": ["read"]})
    key = id_of((yield asked._replace(secret_pointers=(KEY,))))
    if key:
        yield request("keys.get", "GET", f"/auth/keys/{key}", visit.identity)
        yield request("keys.list", "GET", "/auth/keys?limit=20", visit.identity)
        yield request("keys.delete", "DELETE", f"/auth/keys/{key}", visit.identity)
    yield request("sockets.ticket", "POST", "/ws/tickets", visit.identity)._replace(secret_pointers=(TICKET,))


ROUTES = (
    Route("profile", 2, profile),
    Route("second thoughts", 2, second_thoughts),
    Route("visitor", 2, visitor),
    Route("keyholder", 2, keyholder),
)
