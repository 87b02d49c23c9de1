"""Customers in the shop, walked against a shop in memory."""

from __future__ import annotations

import json

from harness.load.journey import Ground
from scenarios.load.shop import ROUTES
from tests.unit.scenarios.load.shop_sim import ShopSim, opened, visited

BROWSE, AISLE, ORDER = ROUTES


def test_browsing_lists_and_reads() -> None:
    """Each page that was listed is followed by one product."""
    sim = ShopSim()
    ground = opened(sim)
    for seed in range(20):
        operations = visited(BROWSE, ground, sim, seed)
        assert operations in (["products.list", "products.get"], ["products.list", "products.get"] * 2)


def test_what_a_seller_takes_back_is_not_read() -> None:
    """A product that is offered during the load stands on pages, and those that stay are read."""
    sim = ShopSim()
    ground = opened(sim)
    sim.things |= {f"products-{number}": 1 for number in range(1000, 1100)}
    for seed in range(20):
        visited(BROWSE, ground, sim, seed)
        read = [step.path.rpartition("/")[2] for step in sim.sent if step.operation == "products.get"]
        assert set(read) <= set(ground.facts["products"])


def test_an_aisle_is_a_category_and_its_products() -> None:
    """The products are those of the category that was read."""
    sim = ShopSim()
    ground = opened(sim)
    assert visited(AISLE, ground, sim) == ["categories.list", "categories.get", "products.list"]
    assert sim.sent[2].path.endswith(f"&category={ground.facts['categories'][0]}")


def test_an_order_reads_its_product_first_and_takes_sold_out_for_an_answer() -> None:
    """Only 409 is no surprise among the refusals."""
    sim = ShopSim()
    assert visited(ORDER, opened(sim), sim) == ["products.get", "orders.create"]
    assert sim.sent[0].path.endswith(json.loads(sim.sent[1].body or b"")["items"][0]["productId"])
    assert (sim.sent[1].expects(409), sim.sent[1].expects(404)) == (True, False)


def test_an_empty_shop_is_looked_at() -> None:
    """Where nothing is for sale there are only lists."""
    sim = ShopSim()
    facts = {**opened(sim).facts, "products": [], "categories": []}
    sim.things.clear()
    ground = Ground(opened(sim).identities, facts)
    sim.things.clear()
    sent = [visited(route, ground, sim)[0] for route in (BROWSE, AISLE, ORDER)]
    assert sent == ["products.list", "categories.list", "products.list"]
