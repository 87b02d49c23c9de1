"""Sellers, admins and writers, walked against a shop in memory."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from harness.load.journey import Ground
from scenarios.load import administrator, seller, writer
from tests.unit.scenarios.load.shop_sim import ShopSim, opened, visited

if TYPE_CHECKING:
    from harness.load.journey import Route

(OFFER,) = seller.ROUTES
ACCOUNTS, ASSORTMENT, OFFICE, IN_BULK = administrator.ROUTES
POST, REVIEW = writer.ROUTES
CREATE_TO_DELETE = {
    OFFER: ["products.create", "products.update", "products.uploadImage", "products.delete"],
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


@pytest.mark.parametrize(
    ("route", "who"),
    [(OFFER, "sellers"), *((route, "admins") for route in administrator.ROUTES)],
)
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
    assert visited(OFFER, opened(sim), sim) == ["products.create", "products.uploadImage", "products.delete"]


def test_a_picture_is_a_form_with_a_png() -> None:
    """What is uploaded is whole: the form's parts and the image in it."""
    image = seller.PICTURE.partition(b"\r\n\r\n")[2].partition(b"\r\n--load--")[0]
    assert Image.open(io.BytesIO(image)).size == (64, 64)


def test_who_is_made_in_bulk_is_suspended() -> None:
    """The ids that the answer tells are those whose status is set; the products that stay are put on sale."""
    sim = ShopSim()
    ground = opened(sim)
    assert visited(IN_BULK, ground, sim) == ["users.bulkCreate", "users.bulkStatus", "products.batchUpdate"]
    made, sale = (json.loads(step.body or b"") for step in sim.sent[1:])
    assert set(made["ids"]) <= set(sim.roles)
    assert set(sale["ids"]) <= set(ground.facts["products"])


@pytest.mark.parametrize("route", [POST, REVIEW], ids=lambda route: route.name)
def test_writers_take_back_what_they_wrote(route: Route) -> None:
    """A post and a review go through all that can be done with them and are gone."""
    sim = ShopSim()
    ground = opened(sim)
    before = set(sim.things)
    kind = {POST: "posts", REVIEW: "reviews"}[route]
    acts = {POST: ["create", "get", "update", "publish", "list", "delete"], REVIEW: ["create", "list", "get", "delete"]}
    assert visited(route, ground, sim) == [f"{kind}.{act}" for act in acts[route]]
    assert set(sim.things) == before


def test_a_review_that_stands_is_an_answer() -> None:
    """One a user and product: a second is refused, and there is nothing to take back."""
    sim = ShopSim(reviews_create=409)
    assert visited(REVIEW, opened(sim), sim) == ["reviews.create", "reviews.list"]
