"""The set-up of the load, walked against a shop in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.load.journey import Briefing, SetUpError, walk
from scenarios.load.ground import PRODUCTS, STAFF, set_up
from tests.unit.scenarios.load.shop_sim import ADMIN, TENANT, ShopSim, reply

if TYPE_CHECKING:
    from harness.load.journey import Step
    from harness.load.reply import Reply


def test_the_set_up_fills_the_shop_in_the_admins_tenant() -> None:
    """Customers, sellers, admins, a category and products are made, all with the tenant that the admin was given."""
    sim = ShopSim()
    ground = walk(set_up(Briefing((ADMIN,), {"customers": 3})), sim.send)
    assert len(ground.identities) == 3
    assert [len(ground.facts[name]) for name in ("sellers", "admins")] == [STAFF, STAFF]
    assert [len(ground.facts[name]) for name in ("products", "categories")] == [PRODUCTS, 1]
    assert {step.headers["X-Tenant-ID"] for step in sim.sent} == {TENANT}
    assert [sim.roles[who.id] for who in ground.facts["sellers"]] == [{"user", "seller"}] * STAFF
    assert all(step.secret_pointers for step in sim.sent if step.operation == "auth.login")


def test_a_set_up_is_short_and_spends_little_of_anyones_quota() -> None:
    """Some requests for each person, and no seller has made more than a fifth of what its window allows."""
    sim = ShopSim()
    walk(set_up(Briefing((ADMIN,))), sim.send)
    makers = [step.identity.name for step in sim.sent if step.operation == "products.create"]
    assert len(sim.sent) < 150
    assert max(makers.count(name) for name in makers) <= 2


def test_without_an_admin_the_shop_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand nothing but customers is made, unless the environment tells an admin."""
    monkeypatch.delenv("LOAD_ADMIN_EMAIL", raising=False)
    sim = ShopSim(tenant=None)
    sim.things |= {"products-90": 5, "categories-91": 1}
    ground = walk(set_up(Briefing(options={"customers": 2})), sim.send)
    assert set(sim.operations) == {"auth.register", "auth.login", "products.list", "categories.list"}
    expected = {"products": ["products-90"], "categories": ["categories-91"], "sellers": (), "admins": ()}
    assert dict(ground.facts) == expected
    monkeypatch.setenv("LOAD_ADMIN_EMAIL", "admin@example.test")
    monkeypatch.setenv("LOAD_ADMIN_PASSWORD", "made-up-password")
    walk(set_up(Briefing(options={"customers": 2})), sim.send)
    assert {"users.roles", "categories.create", "products.create"} < set(sim.operations)


@pytest.mark.parametrize(
    ("operation", "purpose"),
    [
        ("auth_register", "register a customer"),
        ("auth_login", "sign in customer-0"),
        ("users_roles", "give the role seller"),
        ("categories_create", "make a category"),
        ("products_create", "make a product"),
        ("products_list", "list products"),
    ],
)
def test_a_set_up_that_is_refused_says_why(operation: str, purpose: str) -> None:
    """The message names the purpose and shows the answer."""
    sim = ShopSim()
    sim.statuses[operation] = 503
    with pytest.raises(SetUpError, match=f"cannot {purpose}: 503 .*PLANNED"):
        walk(set_up(Briefing((ADMIN,))), sim.send)


def test_limited_registration_leaves_the_customers_it_gave() -> None:
    """A 429 after the first customers ends registration, not the load."""
    sim = ShopSim(tenant=None)

    def send(step: Step) -> Reply:
        full = step.operation == "auth.register" and sim.operations.count("auth.register") == 2
        return reply(429) if full else sim.send(step)

    assert len(walk(set_up(Briefing()), send).identities) == 2
