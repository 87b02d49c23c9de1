"""docs/promises: the example of a page is laid over an API in memory that keeps it, and over ones that break it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from harness import judge
from harness.contract.overlay import applied
from harness.load.measurement import Limits, measure
from harness.load.sample import Sample
from harness.promises import objective
from harness.promises.catalogue import BY_KEY
from harness.verdict import Status, merged
from tests.repo import pet_shop
from tests.repo.sources import blocks
from tests.unit.harness.promises import branch_api, desk_api, gate_api, limiter_sim, shelf_api, shelf_document, shop_sim

if TYPE_CHECKING:
    from harness.verdict import Verdict

FOLDER = Path("docs/promises")
MS = 1_000_000
SECONDS = 2


def overlaid(key: str, document: dict[str, Any]) -> dict[str, Any]:
    """A document with the example of a promise's page laid over it."""
    (block,) = blocks(FOLDER / f"{key}.md", "yaml")
    return applied(document, yaml.safe_load(block.body), block.place)


def codes(verdict: Verdict) -> set[str]:
    """The codes of a verdict's findings."""
    return {finding.code for finding in verdict.findings}


def whole(verdict: Verdict) -> None:
    """Holds that a verdict is a pass of something that was examined, without a doubt."""
    assert (verdict.status, verdict.findings, verdict.reason) == (Status.PASS, (), "")
    assert verdict.examined > 0


def at_the_counter(key: str, *defects: str, overlay: bool = True) -> dict[str, Verdict]:
    """What a standing promise says of each operation, and of none, after every call at the counter."""
    document = pet_shop.counter_document()
    contract = pet_shop.read(overlaid(key, document) if overlay else document)
    history = pet_shop.Counter(frozenset(defects)).history()
    return {item.operation: item for item in judge.standing(contract, history) if item.promise == key}


@pytest.mark.parametrize(
    ("key", "operations"),
    [
        ("schema", {"listPets", "addPet", "getPet", ""}),
        ("envelope", {"addPet", "getPet", ""}),
        ("headers", {"listPets", "addPet", "getPet", "events", ""}),
        ("leaks", {"listPets", "addPet", "getPet", ""}),
    ],
)
def test_a_counter_that_keeps_a_standing_promise(key: str, operations: set[str]) -> None:
    """Each answer is judged where the example says, and nothing is found."""
    verdicts = at_the_counter(key)
    assert {name for name, verdict in verdicts.items() if verdict.examined} == operations
    for name in operations:
        whole(verdicts[name])


@pytest.mark.parametrize(
    ("key", "defect", "operation", "expected"),
    [
        ("schema", "gone", "getPet", {"schema.undocumented-status"}),
        ("schema", "a number for a name", "listPets", {"schema.body"}),
        ("schema", "takes all", "addPet", {"schema.invalid-input-accepted"}),
        ("envelope", "another's 404", "", {"envelope.shape"}),
        ("headers", "sniffed", "addPet", {"headers.missing"}),
        ("headers", "odd id", "listPets", {"headers.value"}),
        ("headers", "names itself", "listPets", {"headers.forbidden"}),
        ("leaks", "tells its trace", "getPet", {"leaks.stack"}),
    ],
)
def test_a_counter_that_breaks_a_standing_promise(key: str, defect: str, operation: str, expected: set[str]) -> None:
    """What the page says is found is found, where it is."""
    assert codes(at_the_counter(key, defect)[operation]) == expected


def test_without_their_overlays_the_pages_say_what_is_found() -> None:
    """A status that the document forgot, and a trace in the events, are what the examples take out."""
    assert codes(at_the_counter("schema", overlay=False)["getPet"]) == {"schema.undocumented-status"}
    assert codes(at_the_counter("schema", overlay=False)["events"]) == {"schema.body"}
    assert codes(at_the_counter("leaks", overlay=False)["events"]) == {"leaks.stack"}


@pytest.mark.parametrize(
    ("key", "defect", "expected"),
    [
        ("http", "no challenge", "http.challenge"),
        ("http", "no allow", "http.allow"),
        ("cors", "reflects", "cors.foreign-origin"),
        ("cors", "refuses", "cors.refused"),
    ],
)
def test_the_gate(key: str, defect: str, expected: str) -> None:
    """An API with the overlay of `http` or `cors` keeps it at every operation; with a defect it does not."""
    document = overlaid(key, gate_api.document())
    for verdict in gate_api.examined(BY_KEY[key], gate_api.Gate(told=document)):
        whole(verdict)
    broken = gate_api.examined(BY_KEY[key], gate_api.Gate(frozenset({defect}), told=document))
    assert expected in {code for code, _, _ in gate_api.faults(broken)}


@pytest.mark.parametrize(
    ("defect", "expected"),
    [("writes first", "writes.refused-effect"), ("floats", "writes.number"), ("merges", "writes.put-replaces")],
)
def test_the_desk(defect: str, expected: str) -> None:
    """An API with the overlay of `writes` keeps it at every write; with a defect it does not."""
    document = overlaid("writes", desk_api.document())
    for verdict in desk_api.examined(BY_KEY["writes"], desk_api.Desk(told=document)):
        whole(verdict)
    broken = desk_api.examined(BY_KEY["writes"], desk_api.Desk(frozenset({defect}), told=document))
    assert expected in {code for verdict in broken for code in codes(verdict)}


def test_roles() -> None:
    """Keepers and admins make pets and anyone lists them, as the example declares; a shop that lets all in is found."""
    contract = pet_shop.read(overlaid("roles", pet_shop.shelf_pets("roles")))

    def verdict(operation: str, *defects: str) -> Verdict:
        shelf = pet_shop.PetShelf(frozenset(defects), contract=contract)
        return shelf_api.examined(BY_KEY["roles"], shelf, operation, people=pet_shop.KEEPERS)

    whole(verdict("addPet"))
    whole(verdict("listPets"))
    assert codes(verdict("addPet", "any role")) == {"roles.role-allowed"}


@pytest.mark.parametrize(
    ("operation", "defect", "expected"),
    [
        ("getPet", "open notes.get", "owner.stranger-allowed"),
        ("getPet", "existence", "owner.status"),
        ("deletePet", "open notes.delete", "owner.stranger-allowed"),
        ("deletePet", "no admin notes.delete", "owner.role-refused"),
    ],
)
def test_an_owner(operation: str, defect: str, expected: str) -> None:
    """Pets are their owners' as the example declares; one that shows them, or that they are there, is found."""
    contract = pet_shop.read(overlaid("owner", pet_shop.shelf_pets("owner")))

    def verdict(*defects: str) -> Verdict:
        return shelf_api.examined(
            BY_KEY["owner"], pet_shop.PrivateShelf(frozenset(defects), contract=contract), operation
        )

    whole(verdict())
    assert codes(verdict(defect)) == {expected}


@pytest.mark.parametrize(
    ("operation", "defect", "expected"),
    [
        ("notes.list", "one world", "tenant.canary"),
        ("notes.get", "tells", "tenant.existence"),
        ("notes.create", "unbound", "tenant.credentials"),
    ],
)
def test_a_tenant(operation: str, defect: str, expected: str) -> None:
    """Shops tell their tenant as the example declares; ones that mix two are found."""
    contract = pet_shop.read(overlaid("tenant", shelf_document.document()))

    def verdict(*defects: str) -> Verdict:
        shops = branch_api.Branches(frozenset(defects), contract=contract, header="X-Shop", prefix="/shops/")
        return branch_api.examined(shops, operation)

    whole(verdict())
    assert expected in codes(verdict(defect))


@pytest.mark.parametrize(
    ("operation", "defect", "expected"),
    [
        ("addPet", "loses notes", "resource.create-not-readable"),
        ("addPet", "takes all", "resource.mass-assignment"),
        ("listPets", "unlisted", "resource.not-listed"),
        ("updatePet", "update lost", "resource.update-lost"),
    ],
)
def test_a_resource(operation: str, defect: str, expected: str) -> None:
    """Pets are made, read, listed and changed as the example declares; a shop that breaks one step of it is found."""
    contract = pet_shop.read(overlaid("resource", pet_shop.shelf_pets("resource")))
    promise = BY_KEY["resource"]
    whole(shelf_api.examined(promise, pet_shop.PetShelf(contract=contract), operation))
    broken = pet_shop.PetShelf(frozenset({defect}), contract=contract)
    assert codes(shelf_api.examined(promise, broken, operation)) == {expected}


@pytest.mark.parametrize(
    ("defect", "expected"),
    [
        ("stale accepted", {"version.lost-update", "version.two-winners"}),
        ("missing accepted", {"version.missing-accepted"}),
        ("other status", {"version.status"}),
    ],
)
def test_a_version(defect: str, expected: set[str]) -> None:
    """Pets have versions as the example declares; one that takes a stale write, or refuses it otherwise, is found."""
    contract = pet_shop.read(overlaid("version", pet_shop.shelf_pets("version")))
    promise = BY_KEY["version"]
    whole(shelf_api.examined(promise, pet_shop.PetShelf(contract=contract), "updatePet"))
    broken = pet_shop.PetShelf(frozenset({defect}), contract=contract)
    assert codes(shelf_api.examined(promise, broken, "updatePet")) == expected


def test_a_rate_limit() -> None:
    """The list of pets is limited as the example declares; a limiter that looks before it counts admits too many."""
    contract = pet_shop.read(overlaid("rate-limit", pet_shop.limiter_pets()))
    operation = contract.by_id["listPets"]
    (limit,) = contract.promise("rate-limit", operation)

    def verdict(*, race: bool) -> Verdict:
        promise, found = BY_KEY["rate-limit"], []
        for number, case in enumerate(promise.cases(contract, operation, Random(1)) if promise.cases else ()):
            server = limiter_sim.Simulated(limit, race=race)
            judged, driven = limiter_sim.examined(server, case, contract, nonce=f"n{number}")
            assert driven.reason == ""
            found.append(judged)
        (one,) = merged(found)
        return one

    whole(verdict(race=False))
    assert "rate-limit.overshoot" in codes(verdict(race=True))


@pytest.mark.parametrize(
    ("defect", "expected"),
    [
        ("race", "ledger.overdrawn"),
        ("restores", "ledger.not-conserved"),
        ("partial", "ledger.partial"),
        ("price", "ledger.amount"),
    ],
)
def test_a_ledger(defect: str, expected: str) -> None:
    """Orders draw pets from the stock as the example declares; a shop that loses count, or asks less, is found."""
    contract = pet_shop.read(overlaid("ledger", pet_shop.shop_pets()))
    promise, operation = BY_KEY["ledger"], contract.by_id["addOrder"]

    def found(shop: shop_sim.Shop, seed: int) -> list[Verdict]:
        cases = promise.cases(contract, operation, Random(seed)) if promise.cases else ()
        return [shop_sim.examined(shop, case, seed=seed, contract=contract)[0] for case in cases]

    (kept,) = merged(found(pet_shop.PetShop(), 1))
    whole(kept)
    broken = [one for seed in range(3) for one in found(pet_shop.PetShop(defect, random=Random(seed)), seed)]
    assert expected in {code for verdict in broken for code in codes(verdict)}


def load(took_ms: int, *, failing: int = 0) -> list[Sample]:
    """Two hundred arrivals at the list of pets in two seconds, the first of them failing."""
    return [
        Sample("listPets", 500 if n < failing else 200, n * 10 * MS, n * 10 * MS, (n * 10 + took_ms) * MS)
        for n in range(200)
    ]


def test_an_objective() -> None:
    """A list that answers in time under load keeps the example's objective; one that is slow or fails does not."""
    contract = pet_shop.read(overlaid("objective", pet_shop.counter_document()))
    promised = contract.promise("objective", contract.by_id["listPets"])

    def verdict(samples: list[Sample], runs: int) -> Verdict:
        one = objective.read(promised, "listPets", measure(samples, planned=200, duration_s=SECONDS), Limits())
        return objective.verdict("listPets", [one] * runs)

    whole(verdict(load(50), 1))
    assert codes(verdict(load(300), 2)) == {"objective.latency"}
    assert codes(verdict(load(50, failing=10), 2)) == {"objective.errors"}
    assert verdict(load(300), 1).status is Status.INCONCLUSIVE
