"""Accounts, walked against a shop in memory."""

from __future__ import annotations

from harness.load.journey import Ground
from scenarios.load.account import ROUTES
from tests.unit.scenarios.load.shop_sim import TENANT, ShopSim, opened, visited

PROFILE, SECOND_THOUGHTS, VISITOR, KEYHOLDER = ROUTES


def test_a_profile_is_ones_own() -> None:
    """The page that is read is that of whoever asked."""
    sim = ShopSim()
    ground = opened(sim)
    assert visited(PROFILE, ground, sim) == ["auth.me", "users.get"]
    assert sim.sent[1].path == f"/api/v1/users/{ground.identities[0].id}"


def test_second_thoughts_cancel_the_order_that_was_made() -> None:
    """One order is made, read and cancelled, and the orders are listed."""
    sim = ShopSim()
    ground = opened(sim)
    assert visited(SECOND_THOUGHTS, ground, sim) == ["orders.create", "orders.get", "orders.cancel", "orders.list"]
    assert sim.sent[2].path == f"{sim.sent[1].path}/cancel"


def test_without_an_order_there_is_none_to_cancel() -> None:
    """Sold out, or an empty shop, leaves the list."""
    sold_out = ShopSim(orders_create=409)
    assert visited(SECOND_THOUGHTS, opened(sold_out), sold_out) == ["orders.create", "orders.list"]
    sim = ShopSim()
    people = opened(sim)
    assert visited(SECOND_THOUGHTS, Ground(people.identities, {"products": []}), sim) == ["orders.list"]


def test_a_visitor_leaves_with_the_token_it_came_for() -> None:
    """Everyone is new, in the customer's tenant; the other session is ended, and the token that logs out is fresh."""
    sim = ShopSim()
    ground = opened(sim)
    assert visited(VISITOR, ground, sim) == [
        "auth.register",
        *("auth.login", "auth.login"),
        "auth.refresh",
        "sessions.list",
        "sessions.revoke",
        "auth.logout",
    ]
    assert {step.headers["X-Tenant-ID"] for step in sim.sent} == {TENANT}
    assert [("Authorization" in step.headers) for step in sim.sent] == [False] * 4 + [True] * 3
    customers = {dict(who.headers)["Authorization"] for who in ground.identities}
    assert sim.sent[6].headers["Authorization"] not in customers
    assert sim.sent[5].path.endswith("/auth/sessions/other")
    assert {step.secret_pointers for step in sim.sent[1:4]} == {("/accessToken", "/refreshToken")}


def test_a_visitor_who_is_not_let_in_goes() -> None:
    """Without an account there is no login, without a login nothing to go on with."""
    sim = ShopSim()
    ground = opened(sim)
    sim.statuses["auth_login"] = 503
    assert visited(VISITOR, ground, sim) == ["auth.register", "auth.login"]
    sim.statuses["auth_register"] = 429
    assert visited(VISITOR, ground, sim) == ["auth.register"]


def test_a_key_is_taken_back_and_never_told() -> None:
    """What was made is ended, and where the key and the ticket stand in an answer is masked."""
    sim = ShopSim()
    ground = opened(sim)
    before = set(sim.things)
    assert visited(KEYHOLDER, ground, sim) == ["keys.create", "keys.get", "keys.list", "keys.delete", "sockets.ticket"]
    assert set(sim.things) == before
    assert [step.secret_pointers for step in sim.sent] == [("/key",), (), (), (), ("/ticket",)]
