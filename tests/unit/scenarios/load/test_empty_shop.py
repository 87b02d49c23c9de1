"""Every journey of the load in a shop where nothing is: by hand a load may begin there."""

from __future__ import annotations

from random import Random

import pytest

from harness.identities import Identity
from harness.load.journey import Ground, Route, Visit
from scenarios.load.routes import ROUTES

NOBODYS: dict[str, object] = {"products": [], "categories": [], "sellers": (), "admins": ()}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_journey_sends_something(route: Route) -> None:
    """Without products, sellers and admins a journey still begins with a request."""
    who = Identity("customer", ("user",))
    for seed in range(20):
        visit = Visit(who, Random(seed), Ground((who,), NOBODYS))
        assert next(route.steps(visit), None) is not None
