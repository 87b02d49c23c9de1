"""Whole fuzzings of a small real API."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.contract import Contract
from harness.contract.document import resolved
from harness.drivers.fuzz.campaign import Pass, Progress, fuzz
from harness.errors import CannotTell
from harness.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.exchange import Exchange
    from harness.identities import Identity
    from harness.recorder import Recorder
    from harness.verdict import Verdict

BUDGET_S = 30.0


def _codes(verdicts: tuple[Verdict, ...]) -> set[tuple[str, str, str]]:
    return {(item.code, item.operation, item.kind) for verdict in verdicts for item in verdict.findings}


def _sent(exchange: Exchange) -> tuple[object, ...]:
    request = exchange.request
    return request.method, request.path, request.query, request.headers, request.body, request.step


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_correct_api_has_no_findings(
    open_shop: Callable[..., Any], record: Callable[[Any], Recorder], contract: Contract, caller: Identity, seed: int
) -> None:
    """Every operation of a correct API passes, whatever the seed."""
    shop = open_shop()
    verdicts = fuzz(contract, record(shop), [Pass("user", caller)], seed=seed, budget_s=BUDGET_S, examples=4)
    told = {verdict.operation: verdict.findings for verdict in verdicts}
    assert dict.fromkeys(("items.list", "items.create", "items.get", "items.delete", "logout"), ()) == told


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("patch-accepted", ("fuzz.unsupported_method", "items.list", "PATCH accepted")),
        ("no-allow", ("fuzz.unsupported_method", "items.list", "no Allow")),
        ("allow-lies", ("fuzz.allow_header_conformance", "items.list", "-POST +PUT")),
        ("open-list", ("fuzz.ignored_auth", "items.list", "no credentials")),
        ("any-token", ("fuzz.ignored_auth", "items.list", "wrong credentials")),
        ("client-optional", ("fuzz.missing_required_header", "items.list", "x-client")),
        ("bound-refused", ("fuzz.positive_data_acceptance", "items.create", "maximum body price")),
        ("undead", ("fuzz.use_after_free", "items.get", "read")),
        ("lost", ("fuzz.ensure_resource_availability", "items.get", "read")),
    ],
)
def test_a_planted_fault_is_found(
    open_shop: Callable[..., Any],
    record: Callable[[Any], Recorder],
    contract: Contract,
    caller: Identity,
    fault: str,
    found: tuple[str, str, str],
) -> None:
    """Each fault gives its finding and none of another check, and its witnesses are exchanges of this run."""
    shop = open_shop(fault)
    recorder = record(shop)
    everyone = Pass("user", caller, lambda identity: _again(shop, identity))
    examples = 12 if fault in {"undead", "lost"} else 1
    verdicts = fuzz(contract, recorder, [everyone], seed=1, budget_s=BUDGET_S, examples=examples)
    assert found in _codes(verdicts)
    assert {finding.code for verdict in verdicts for finding in verdict.findings} == {found[0]}
    witnesses = [name for verdict in verdicts for finding in verdict.findings for name in finding.witnesses]
    assert all(int(name.rpartition("-")[2]) <= recorder.count for name in witnesses)


def test_the_witnesses_of_a_sequence_stand_in_its_order(
    open_shop: Callable[..., Any],
    record: Callable[[Any], Recorder],
    recorded: Callable[[int], list[Exchange]],
    contract: Contract,
    caller: Identity,
) -> None:
    """What shows a use after deletion is the creation, the deletion and the read, in this order, by one path."""
    shop = open_shop("undead")
    everyone = Pass("user", caller, lambda identity: _again(shop, identity))
    verdicts = fuzz(contract, record(shop), [everyone], seed=1, budget_s=BUDGET_S, examples=12)
    witnesses = next(finding.witnesses for verdict in verdicts for finding in verdict.findings)
    by_id = {exchange.id: exchange for exchange in recorded(0)}
    methods = [by_id[name].request.method for name in witnesses]
    assert (methods[0], methods[-2:]) == ("POST", ["DELETE", "GET"])


def test_the_same_seed_sends_the_same_requests(
    open_shop: Callable[..., Any],
    record: Callable[[Any], Recorder],
    recorded: Callable[[int], list[Exchange]],
    contract: Contract,
    caller: Identity,
) -> None:
    """A fixed program is repeated byte for byte with the same seed, and not with another."""
    for seed in (7, 7, 8):
        shop = open_shop()
        fuzz(contract, record(shop), [Pass("user", caller)], seed=seed, budget_s=BUDGET_S, examples=5)
    first, second, other = ([_sent(exchange) for exchange in recorded(number)] for number in range(3))
    assert first == second
    assert first != other


def test_the_budget_is_kept_and_reaches_every_operation(
    open_shop: Callable[..., Any], record: Callable[[Any], Recorder], contract: Contract, caller: Identity
) -> None:
    """Two passes end within two seconds after the budget, and no operation goes without."""
    shop = open_shop()
    told: list[Progress] = []
    passes = [Pass(name, caller, lambda identity: _again(shop, identity)) for name in ("user", "admin")]
    began = time.monotonic()
    verdicts = fuzz(contract, record(shop), passes, seed=1, budget_s=4.0, progress=told.append)
    assert time.monotonic() - began < 6.0
    assert [verdict.status for verdict in verdicts] == [Status.PASS] * len(contract.operations)
    assert {item.name for item in told} == {"user", "admin"}
    assert {item.phase for item in told} >= {"coverage", "fuzzing", "stateful"}


def test_a_target_that_dies_ends_the_fuzzing(
    open_shop: Callable[..., Any], record: Callable[[Any], Recorder], contract: Contract, caller: Identity
) -> None:
    """Every verdict says that the target answers nothing any more, long before the budget is over."""
    shop = open_shop(dies_after=25)
    began = time.monotonic()
    verdicts = fuzz(contract, record(shop), [Pass("user", caller)] * 2, seed=1, budget_s=60.0)
    assert time.monotonic() - began < 10.0
    assert {verdict.status for verdict in verdicts} == {Status.INCONCLUSIVE}
    assert all("answered" in verdict.reason for verdict in verdicts)


def test_a_revoked_identity_is_renewed(
    open_shop: Callable[..., Any],
    record: Callable[[Any], Recorder],
    recorded: Callable[[int], list[Exchange]],
    contract: Contract,
    caller: Identity,
) -> None:
    """After a logout the identity is made again, so that what follows is not all 401, and nothing is reported."""
    shop = open_shop()
    numbers = itertools.count(1)

    def renew(identity: Identity) -> Identity:
        token = f"token-{next(numbers)}"
        shop.tokens.add(token)
        return replace(identity, headers=(("authorization", f"Bearer {token}"),))

    verdicts = fuzz(contract, record(shop), [Pass("user", caller, renew)], seed=1, budget_s=BUDGET_S, examples=4)
    known = [item for item in recorded(0) if item.request.identity.name == "first" and item.operation]
    assert next(numbers) > 2
    assert sum(item.status == 401 for item in known) < len(known) / 4
    assert _codes(verdicts) == set()


def test_an_identity_that_cannot_be_renewed_ends_the_pass(
    open_shop: Callable[..., Any], record: Callable[[Any], Recorder], contract: Contract, caller: Identity
) -> None:
    """Where the only identity is lost for good the verdicts say so."""

    def renew(_: Identity) -> Identity:
        raise CannotTell("the login answered 403")

    verdicts = fuzz(contract, record(open_shop()), [Pass("user", caller, renew)], seed=1, budget_s=BUDGET_S, examples=4)
    assert {verdict.status for verdict in verdicts} == {Status.INCONCLUSIVE}
    assert all("the login answered 403" in verdict.reason for verdict in verdicts)


def test_a_used_up_quota_passes_to_another_identity(
    open_shop: Callable[..., Any],
    record: Callable[[Any], Recorder],
    recorded: Callable[[int], list[Exchange]],
    contract: Contract,
    caller: Identity,
) -> None:
    """A quota of five creations a caller costs no wait of a minute: others of the same role go on."""
    shop = open_shop(quota=5)
    told: list[Progress] = []
    began = time.monotonic()
    verdicts = fuzz(
        contract,
        record(shop),
        [Pass("user", caller, lambda identity: _again(shop, identity))],
        seed=1,
        budget_s=BUDGET_S,
        examples=10,
        progress=told.append,
    )
    assert time.monotonic() - began < 20.0
    assert _codes(verdicts) == set()
    assert len({item.request.identity.name for item in recorded(0)}) > 2
    assert told[-1].paced > 0
    assert sum(shop.created.values()) > 10


def test_a_quota_without_a_way_out_costs_a_share_of_the_budget_only(
    open_shop: Callable[..., Any], record: Callable[[Any], Recorder], contract: Contract, caller: Identity
) -> None:
    """Where nobody else can go on, what the quota refuses is not sent, and nothing is a finding."""
    shop = open_shop(quota=3)
    began = time.monotonic()
    verdicts = fuzz(contract, record(shop), [Pass("user", caller)], seed=1, budget_s=BUDGET_S, examples=4)
    assert time.monotonic() - began < 20.0
    assert _codes(verdicts) == set()


def test_a_document_of_version_3_0_is_fuzzed(
    open_shop: Callable[..., Any], record: Callable[[Any], Recorder], contract: Contract, caller: Identity
) -> None:
    """A 3.0 document with `nullable` is read in the dialect that the contract has made of it."""
    value = {**contract.document, "openapi": "3.0.3"}
    schema = value["paths"]["/items"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema["properties"]["price"]["exclusiveMinimum"] = False
    old = Contract(resolved(value, "shop"))
    verdicts = fuzz(old, record(open_shop()), [Pass("user", caller)], seed=1, budget_s=BUDGET_S, examples=2)
    assert {verdict.status for verdict in verdicts} == {Status.PASS}


def test_a_document_that_cannot_be_used_is_one_inconclusive_verdict(
    open_shop: Callable[..., Any], record: Callable[[Any], Recorder], contract: Contract, caller: Identity
) -> None:
    """Where Schemathesis refuses the document, the one verdict gives its reason."""
    odd = Contract({**contract.document, "openapi": "3.9.9"})
    verdicts = fuzz(odd, record(open_shop()), [Pass("user", caller)], seed=1, budget_s=BUDGET_S)
    assert [(verdict.operation, verdict.status) for verdict in verdicts] == [("", Status.INCONCLUSIVE)]
    assert "3.9.9" in verdicts[0].reason


def test_an_event_stream_is_fuzzed_by_its_beginning(
    open_shop: Callable[..., Any], record: Callable[[Any], Recorder], contract: Contract, caller: Identity
) -> None:
    """An operation that answers events is called like any other: what begins is an answer."""
    value = {**contract.document}
    value["paths"]["/logout"]["post"]["responses"]["200"] = {
        "description": "events",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
    verdicts = fuzz(Contract(value), record(open_shop()), [Pass("user", caller)], seed=1, budget_s=BUDGET_S, examples=2)
    (logout,) = [verdict for verdict in verdicts if verdict.operation == "logout"]
    assert (logout.examined > 0, logout.reason) == (True, "")


def _broken(reference: str, **more: Any) -> dict[str, Any]:
    """A document of which one operation points to nowhere and one is sound."""
    sound = {"responses": {"200": {"description": "as told"}, "default": {"description": "else"}}}
    body = {"content": {"application/json": {"schema": {"$ref": reference}}}}
    return {"openapi": "3.1.0", "paths": {"/items": {"get": sound, "post": {**sound, "requestBody": body}}}, **more}


@pytest.mark.parametrize(
    "value",
    [
        _broken("#/components/schemas/Nowhere"),
        _broken("https://example.invalid/schema.json", info={"title": 5}),
        _broken("#/paths", servers=[{"url": "{scheme}://x"}], security=[{"undefined": []}]),
        _broken("#/x", info={}, components={"schemas": [], "securitySchemes": {"a": {"type": "odd"}}}),
        {"openapi": "3.0.0", "paths": {"/items": {"get": {"parameters": [{"in": "query"}], "responses": {}}}}},
    ],
)
def test_an_odd_document_does_not_end_in_a_crash(
    open_shop: Callable[..., Any], record: Callable[[Any], Recorder], caller: Identity, value: dict[str, Any]
) -> None:
    """What cannot be used of a document is INCONCLUSIVE with a reason; the rest is examined."""
    verdicts = fuzz(Contract(value), record(open_shop()), [Pass("user", caller)], seed=1, budget_s=BUDGET_S, examples=1)
    assert all(verdict.status is Status.PASS or verdict.reason for verdict in verdicts)
    assert _codes(verdicts) <= {("fuzz.allow_header_conformance", "GET /items", "+POST")}


def _again(shop: Any, identity: Identity) -> Identity:
    """Another identity of the shop, as one that registers."""
    name = f"other-{len(shop.tokens)}-{shop.requests}"
    shop.tokens.add(name)
    return replace(identity, name=name, headers=(("authorization", f"Bearer {name}"),))
