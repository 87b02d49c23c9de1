"""The shop's journeys, walked against a table instead of a network."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from harness.identities import Identity
from harness.load.journey import Briefing, Ground, SetUpError, Step, Visit, walk
from harness.load.reply import Reply
from scenarios.load.shop import PRODUCTS, ROUTES, browse, order, set_up

if TYPE_CHECKING:
    from collections.abc import Callable

ADMIN = Identity("admin", ("admin",), headers=(("X-Tenant-ID", "beta"), ("Authorization", "Bearer admin-token")))
CONTENT: dict[str, Any] = {
    "auth.register": {"id": "u1"},
    "auth.login": {"accessToken": "fresh-token", "user": {"id": "u1"}},
    "users.roles": {"id": "u1"},
    "categories.create": {"id": "c1"},
    "products.create": {"id": "p1"},
    "products.list": {"items": [{"id": "p1", "stock": 5}, {"id": "p2", "stock": 0}]},
    "products.get": {"id": "p1"},
    "orders.create": {"id": "o1"},
}


def answering(sent: list[Step], **statuses: int) -> Callable[[Step], Reply]:
    """Answers each operation from the table; `statuses` are by operation id, its dot an underscore."""

    def send(step: Step) -> Reply:
        sent.append(step)
        status = statuses.get(step.operation.replace(".", "_"), 200)
        return Reply(status, (), json.dumps(CONTENT[step.operation]).encode(), 1, 2)

    return send


def test_the_set_up_fills_the_shop_in_the_admins_tenant() -> None:
    """Customers, a seller, a category and products are made, all with the tenant that the admin was given."""
    sent: list[Step] = []
    ground = walk(set_up(Briefing((ADMIN,), {"customers": 3})), answering(sent))
    operations = [step.operation for step in sent]
    assert len(ground.identities) == 3
    assert operations.count("auth.register") == 4
    assert operations.count("products.create") == PRODUCTS
    assert ground.facts["products"] == ["p1"]
    assert {step.headers["X-Tenant-ID"] for step in sent} == {"beta"}
    assert dict(ground.identities[0].headers)["Authorization"] == "Bearer fresh-token"
    assert all(step.secret_pointers for step in sent if step.operation == "auth.login")


def test_without_an_admin_the_shop_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand nothing but customers is made, unless the environment tells an admin."""
    monkeypatch.delenv("LOAD_ADMIN_EMAIL", raising=False)
    sent: list[Step] = []
    walk(set_up(Briefing(options={"customers": 2})), answering(sent))
    assert {step.operation for step in sent} == {"auth.register", "auth.login", "products.list"}
    monkeypatch.setenv("LOAD_ADMIN_EMAIL", "admin@example.test")
    monkeypatch.setenv("LOAD_ADMIN_PASSWORD", "made-up-password")
    walk(set_up(Briefing(options={"customers": 2})), answering(sent))
    assert "products.create" in {step.operation for step in sent}


def test_a_set_up_that_is_refused_says_why() -> None:
    """The message names the purpose and shows the answer."""
    with pytest.raises(SetUpError, match="cannot register a customer: 503"):
        walk(set_up(Briefing()), answering([], auth_register=503))


def test_limited_registration_leaves_the_customers_it_gave() -> None:
    """A 429 after the first customer ends registration, not the load."""
    sent: list[Step] = []
    whole = answering(sent)

    def send(step: Step) -> Reply:
        reply = whole(step)
        count = sum(one.operation == "auth.register" for one in sent)
        return reply._replace(status=429) if step.operation == "auth.register" and count > 2 else reply

    assert len(walk(set_up(Briefing()), send).identities) == 2


@pytest.mark.parametrize("status", [200, 404, 503, 0])
@pytest.mark.parametrize("products", [[], ["p1"]])
def test_journeys_end_whatever_is_answered(status: int, products: list[str]) -> None:
    """Every route yields at least one step and ends, with an empty shop and with failures too."""
    customer = Identity("customer", headers=(("Authorization", "Bearer fresh-token"),))
    for route in ROUTES:
        for seed in range(30):
            sent: list[Step] = []
            random = Random(seed)
            every = {name.replace(".", "_"): status for name in CONTENT}
            walk(
                route.steps(Visit(customer, random, Ground((customer,), {"products": products}))),
                answering(sent, **every),
            )
            assert 1 <= len(sent) <= 4
            assert all(" " not in step.path and step.headers["Authorization"] for step in sent)


def test_browsing_reads_and_ordering_orders() -> None:
    """A browse is lists and reads; an order reads its product first and takes sold out for an answer."""
    visit = Visit(Identity("customer"), Random(1), Ground(facts={"products": ["p9"]}))
    sent: list[Step] = []
    walk(browse(visit), answering(sent))
    assert {step.operation for step in sent} == {"products.list", "products.get"}
    sent.clear()
    walk(order(visit), answering(sent))
    assert [step.path for step in sent] == ["/api/v1/products/p9", "/api/v1/orders"]
    assert sent[1].expects(409)
    assert not sent[1].expects(404)
    assert json.loads(sent[1].body or b"")["items"][0]["productId"] == "p9"
