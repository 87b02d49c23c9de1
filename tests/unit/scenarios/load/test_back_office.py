"""Sellers and admins, walked against a shop in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.load.journey import Ground
from scenarios.load import administrator, seller
from tests.unit.scenarios.load.shop_sim import ShopSim, opened, visited

if TYPE_CHECKING:
    from harness.load.journey import Route

(OFFER,) = seller.ROUTES
ACCOUNTS, ASSORTMENT = administrator.ROUTES
CREATE_TO_DELETE = {
    OFFER: ["products.create", "products.update", "products.delete"],
    ACCOUNTS: ["users.list", "users.create", "users.update", "users.roles", "users.delete"],
    ASSORTMENT: ["categories.create", "categories.update", "categories.delete"],
}


@pytest.mark.parametrize("route", CREATE_TO_DELETE, ids=lambda route: route.name)
def test_the_back_office_takes_away_what_it_made(route: Route) -> None:
    """One thing is made, changed and deleted, and the shop is as it was."""
    sim = ShopSim()
    ground = opened(sim)
    before = set(sim.things)
    assert visited(route, ground, sim) == CREATE_TO_DELETE[route]
    assert set(sim.things) == before


@pytest.mark.parametrize("route", CREATE_TO_DELETE, ids=lambda route: route.name)
def test_what_could_not_be_made_is_not_changed(route: Route) -> None:
    """A refused creation ends the walk."""
    sim = ShopSim()
    ground = opened(sim)
    sim.statuses = dict.fromkeys(("products_create", "users_create", "categories_create"), 429)
    walked = visited(route, ground, sim)
    assert walked[-1].endswith(".create")


@pytest.mark.parametrize("route", CREATE_TO_DELETE, ids=lambda route: route.name)
def test_where_nobody_works_customers_browse(route: Route) -> None:
    """By hand without an admin the same arrivals are reads."""
    sim = ShopSim()
    full = opened(sim)
    ground = Ground(full.identities, {**full.facts, "sellers": (), "admins": ()})
    assert set(visited(route, ground, sim)) == {"products.list", "products.get"}


@pytest.mark.parametrize(("route", "who"), [(OFFER, "sellers"), (ACCOUNTS, "admins"), (ASSORTMENT, "admins")])
def test_the_staff_take_turns(route: Route, who: str) -> None:
    """Each of them comes to walk, as quotas are each one's own."""
    sim = ShopSim()
    ground = opened(sim)
    walked = set()
    for seed in range(60):
        visited(route, ground, sim, seed)
        walked |= {step.identity.name for step in sim.sent}
    assert walked == {person.name for person in ground.facts[who]}


def test_a_product_without_an_entity_tag_is_not_changed_blindly() -> None:
    """What its version is cannot be guessed."""
    sim = ShopSim(tagged=False)
    assert visited(OFFER, opened(sim), sim) == ["products.create", "products.delete"]
