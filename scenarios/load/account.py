"""Journeys through an account: a customer looks at itself and cancels an order, a newcomer registers and leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.load.journey import Route
from scenarios.load.people import login, new_account, registration, with_token
from scenarios.load.request import CREATED, id_of, request, surroundings
from scenarios.load.shop import ordering

if TYPE_CHECKING:
    from harness.load.journey import Journey, Visit


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
    """Registers, logs in and logs out."""
    where, account = surroundings(visit.identity), new_account("visitor")
    registered = yield registration(account, where)
    if registered.status != CREATED:
        return
    content = (yield login(account, where)).json()
    token = content.get("accessToken") if isinstance(content, dict) else None
    if isinstance(token, str):
        yield request("auth.logout", "POST", "/auth/logout", with_token("visitor", ("user",), token, where))


ROUTES = (Route("profile", 2, profile), Route("second thoughts", 2, second_thoughts), Route("visitor", 2, visitor))
