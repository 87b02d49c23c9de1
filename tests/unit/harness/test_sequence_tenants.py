"""A sequence is sent again in the tenants in which it was recorded, and tells each once."""

from __future__ import annotations

from random import Random

import pytest

from harness.actors import Actors
from harness.case import Case
from harness.contract import Contract
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.identities import ANONYMOUS, Identity
from harness.sequence import cut, replayed
from harness.stage import Stage
from tests.unit.harness.promises import limiter_sim
from tests.unit.harness.test_sequence import DOCUMENT, Library

TENANT = "X-Tenant"
KNOWN = [{"name": "writer-1", "roles": ["writer"], "token": "fresh-token"}]
TOLD = {"known": KNOWN, "tenants": {"names": ["alpha", "beta"], "header": TENANT}}


def recorded(tenant: str, who: Identity, *more: tuple[str, str]) -> Exchange:
    """A read of a tenant as its history holds it: what the identity carried stands among the request's headers."""
    headers = ((TENANT, tenant), *more)
    request = Request("GET", "/books/one", "books.get", headers=headers, identity=who)
    return Exchange("e-1", request, Response(200), 1, 1, 1)


@pytest.mark.parametrize("tenant", ["alpha", "beta"])
@pytest.mark.parametrize("name", [ANONYMOUS.name, "ada"])
@pytest.mark.parametrize("here", ["alpha", "beta"])
def test_a_tenant_is_told_once(tenant: str, name: str, here: str) -> None:
    """Whatever tenant the replay's own world is in."""
    roles = () if name == ANONYMOUS.name else ("writer",)
    assert sent(recorded(tenant, Identity(name, roles, tenant)), here) == [tenant]


def test_what_the_request_told_beside_it_is_kept() -> None:
    """A second word on the tenant is the request's own: it may be what shows the fault."""
    assert sent(recorded("alpha", Identity(ANONYMOUS.name, (), "alpha"), (TENANT, "beta")), "beta") == ["alpha", "beta"]


def test_a_tenant_that_is_told_no_more_is_replaced() -> None:
    """Where the configuration has other tenants by now, the replay's own is told, and only that."""
    assert sent(recorded("gone", Identity(ANONYMOUS.name, (), "gone")), "beta") == ["beta"]


def test_two_who_are_made_in_another_tenant_have_two_names() -> None:
    """A replay whose own world is in one tenant registers the two of another under names of their own."""
    identities = [Identity(name, (), "beta", headers=(("Authorization", name),)) for name in ("ada", "bob")]
    exchanges = [
        Exchange(f"e-{n}", Request("GET", "/books/one", "books.get", identity=who), Response(200), n, n, n)
        for n, who in enumerate(identities)
    ]
    steps = cut(exchanges, ["e-0", "e-1"])
    contract = Contract.read(limiter_sim.document(limiter_sim.LIMIT), "t")
    told = {**limiter_sim.TOLD, "tenants": TOLD["tenants"]}
    stage = Stage(contract, Actors(told), Random(0), "n0nc", tenant="alpha")
    server = limiter_sim.Simulated(limiter_sim.LIMIT)
    driven = drive(Case("replay", "things.list", "n", lambda on: replayed(on, steps)), stage, server)
    names = [item.request.json()["email"] for item in driven.exchanges if item.operation == "register"]
    assert (driven.reason, len(names), len(set(names))) == ("", 2, 2)


def sent(exchange: Exchange, here: str) -> list[str]:
    """What a replay tells of its tenant."""
    steps = cut([exchange], ["e-1"])
    stage = Stage(Contract.read(DOCUMENT, "t"), Actors(TOLD), Random(0), "n0nc", tenant=here)
    case = Case("replay", "books.get", "n", lambda on: replayed(on, steps))
    driven = drive(case, stage, Library("new"), sleep=lambda _: None)
    (request,) = [item.request for item in driven.exchanges]
    return [value for name, value in (*request.identity.headers, *request.headers) if name == TENANT]
