"""Whom a limit counts: a key that all share, an address that a client makes up, a role that is exempt."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from limiter_sim import LIMIT, OPERATION, TOLD, Simulated, burst_of, codes, contract_of, document, examined

from harness.contract import Contract
from harness.promises.rate_limit import PROMISE
from harness.promises.rate_limit.cases import case_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.exchange import Request

STYLES = st.sampled_from(["x-ratelimit", "draft-6", "draft-7", "draft-10"])


def test_a_key_taken_from_a_made_up_address_is_an_overshoot() -> None:
    """A caller who says another X-Forwarded-For each time must not be admitted beyond its quota."""

    def key(request: Request) -> Any:
        return dict(request.headers).get("X-Forwarded-For", request.identity.name)

    contract = contract_of(LIMIT)
    verdict, _ = examined(Simulated(LIMIT, key=key), burst_of(contract), contract)
    assert ("rate-limit.overshoot", "things.list spoofed") in {(item.code, item.kind) for item in verdict.findings}


@pytest.mark.parametrize("forwarded", [False, True])
def test_a_made_up_address_counts_from_trusted_proxies_only(*, forwarded: bool) -> None:
    """A limit by address that believes X-Forwarded-For is an overshoot, unless it is declared to trust our proxy."""

    def key(request: Request) -> Any:
        return dict(request.headers).get("X-Forwarded-For", request.source)

    limit = {**LIMIT, "scope": ["address"], "forwarded": forwarded}
    contract = contract_of(limit)
    verdict, driven = examined(Simulated(limit, key=key), burst_of(contract), contract, source="127.0.0.9")
    kinds = {(item.code, item.kind) for item in verdict.findings}
    assert (("rate-limit.overshoot", "things.list spoofed") in kinds) is not forwarded
    assert any(exchange.request.step == "spoofed" for exchange in driven.exchanges) is not forwarded


@settings(max_examples=15, deadline=None)
@given(latency_s=st.floats(0.0002, 0.5), seed=st.integers(0, 1000))
def test_a_role_that_is_exempt_is_not_refused(latency_s: float, seed: int) -> None:
    """Whichever of many calls at once is last: an exempt caller is seen if refused, and not blamed if admitted."""
    general = {**LIMIT, "name": "all", "quota": 15, "headers": "draft-6", "reset": "delta", "exempt": ["chief"]}
    limit = LIMIT | {"quota": 20}
    wide = document(limit, general=general)
    for name in ("more", "most", "last"):
        wide["paths"][f"/{name}"] = {"get": {**wide["paths"]["/things"]["get"], "operationId": f"{name}.list"}}
    contract = Contract(wide)
    boss = {"name": "boss", "roles": ["boss"], "headers": {"Authorization": "Bearer boss"}}
    grant = {"operation": "people.create", "by": "boss", "body": {"email": "{name}", "password": "{role}"}}
    told = {**TOLD, "grant": grant, "known": [boss]}
    case = case_of(contract, contract.by_id[OPERATION], {"name": "all"})

    def found(exempts: frozenset[str]) -> set[str]:
        server = Simulated(limit, general=general, exempts=exempts, random=Random(seed), latency_s=(0.0001, latency_s))
        server.identities = told
        verdict, driven = examined(server, case, contract)
        assert driven.reason == ""
        return {finding.code for finding in verdict.findings}

    assert found(frozenset({"chief"})) == set()
    assert "rate-limit.refused-early" in found(frozenset())


@settings(max_examples=25, deadline=None)
@given(quota=st.integers(1, 60), latency_s=st.floats(0.0002, 0.2), style=STYLES, seed=st.integers(0, 1000))
def test_refusals_that_count_are_untrue_where_they_are_not_told(
    quota: int, latency_s: float, style: str, seed: int
) -> None:
    """Who goes on calling and then waits as told is refused again: untrue, unless the later refusals told so."""
    limit = {**LIMIT, "quota": quota, "headers": style, "reset": "epoch" if style == "x-ratelimit" else "delta"}

    def found(*, honest: bool) -> set[str]:
        server = Simulated(limit, counts_refusals=True, honest=honest, random=Random(seed))
        server.latency_s = (0.0001, latency_s)
        return codes(limit, server, wait=True)

    assert found(honest=False) == {"rate-limit.headers-untrue"}
    assert found(honest=True) == set()


def test_one_operation_is_always_waited_for() -> None:
    """Whatever the source draws, the read of the smallest quota has the burst that goes on calling and waits."""
    contract = contract_of(LIMIT)
    assert PROMISE.cases is not None
    for seed in range(20):
        first = next(iter(PROMISE.cases(contract, contract.by_id[OPERATION], Random(seed))))
        assert (first.name, first.parameters) == ("burst", {"wait": True})


def open_contract(limit: dict[str, Any]) -> Contract:
    """The contract of a limited read that needs no identity."""
    told = document(limit)
    del told["paths"]["/things"]["get"]["security"]
    return Contract(told)


@settings(max_examples=25, deadline=None)
@given(
    quota=st.integers(1, 60),
    latency_s=st.floats(0.0002, 0.3),
    tenants=st.sampled_from([{"header": "X-Tenant"}, {"prefix": "/t/{tenant}"}]),
    wait=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_an_address_has_a_quota_in_each_tenant_where_that_is_declared(
    quota: int, latency_s: float, tenants: dict[str, str], *, wait: bool, seed: int
) -> None:
    """One key for an address over tenants is told, one in each is not; where nothing is declared nothing is sent."""
    limit = {**LIMIT, "quota": quota, "per_tenant": True}

    def found(limit: dict[str, Any], key: Callable[[Request], Any]) -> tuple[set[tuple[str, str]], int]:
        server = Simulated(limit, key=key, random=Random(seed), latency_s=(0.0001, latency_s))
        server.identities = {"tenants": {"names": ["alpha", "beta", "gamma"], **tenants}}
        contract = open_contract(limit)
        case = burst_of(contract, wait=wait)
        verdict, driven = examined(server, case, contract, source="127.0.0.9", tenant="beta")
        assert driven.reason == ""
        sent = [exchange.request for exchange in driven.exchanges if exchange.request.step == "abroad"]
        for request in sent:
            words = (request.path, *(value for _, value in request.identity.headers))
            assert not any("beta" in word for word in words)
            assert any(request.identity.tenant in word for word in words)
        return {(item.code, item.kind) for item in verdict.findings}, len(sent)

    def apart(request: Request) -> Any:
        return request.identity.tenant, request.source

    def shared(request: Request) -> Any:
        return request.source

    assert found(limit, apart) == (set(), 1)
    assert found(limit, shared) == ({("rate-limit.shared-key", "things.list tenants")}, 1)
    assert found({**limit, "per_tenant": False}, shared) == (set(), 0)


def test_the_limit_that_shares_its_key_is_named_and_no_other() -> None:
    """Where a limit of the document stands beside it, which counts each caller apart, that one is not blamed."""
    general = {**LIMIT, "name": "all", "quota": 400, "headers": "draft-6", "reset": "delta"}
    contract = contract_of(LIMIT, general)
    server = Simulated(LIMIT, general=general, key=lambda _request: "everybody")
    verdict, _ = examined(server, burst_of(contract), contract)
    shared = [item.kind for item in verdict.findings if item.code == "rate-limit.shared-key"]
    assert shared == ["things.list"]


def test_one_key_for_all_callers_is_told() -> None:
    """A second caller who is refused or told less because of the first shares its key."""
    assert codes(LIMIT, Simulated(LIMIT, key=lambda _request: "everybody")) == {"rate-limit.shared-key"}
