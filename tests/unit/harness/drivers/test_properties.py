from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from harness.actors import Actors
from harness.drivers import properties
from harness.finding import Confirmation
from harness.promises import envelope, ledger
from harness.stage import Stage

if TYPE_CHECKING:
    from types import ModuleType


def _loaded(name: str) -> ModuleType:
    """A module of the promises' tests, whose simulated shop is used here too."""
    path = Path(__file__).parent.parent / "promises" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


shop_sim = _loaded("shop_sim")
OPERATION = shop_sim.CONTRACT.by_id["orders.create"]


def stage(key: str) -> Stage:
    """A fresh stage for a key."""
    told = {"known": [{"name": "buyer", "headers": {"X-Key": "k"}}]}
    return Stage(shop_sim.CONTRACT, Actors(told), Random(key), "n")


def searched(shop: Any, **more: Any) -> properties.Found:
    """A search over the shop's programs."""
    given = {"seed": 3, "max_examples": 60, "sleep": shop.sleep} | more
    seed, count = given.pop("seed"), given.pop("max_examples")
    return properties.search(ledger.PROMISE, shop_sim.CONTRACT, OPERATION, stage, shop, seed, count, **given)


def test_a_correct_shop_passes() -> None:
    """A search over a correct shop ends with PASS, something examined and no case."""
    found = searched(shop_sim.Shop())
    assert (found.verdict.status.value, found.case) == ("pass", None)
    assert found.verdict.examined > 60


def test_a_failing_program_is_shrunk_to_the_smallest() -> None:
    """What fails is told with its smallest program, confirmed by another run, with what makes the case again."""
    found = searched(shop_sim.Shop("twice"))
    assert found.case is not None
    (finding,) = found.verdict.findings
    assert finding.reproduction.parameters == {"stock": [1], "groups": [[{"draw": [[0, 1], [0, 1]]}]]}
    assert finding.reproduction.case == found.case.key
    assert finding.confirmation is Confirmation.CONFIRMED


def test_a_race_that_does_not_recur_at_each_run_is_found_all_the_same() -> None:
    """A program fails if any of its runs does, and what it gave once is kept, so a race does not confuse the search."""
    shop = shop_sim.Shop("lost", random=Random(5))
    found = searched(shop, runs=3)
    assert {finding.code for finding in found.verdict.findings} == {"ledger.not-conserved"}


def test_the_same_seed_draws_the_same_programs() -> None:
    """Two searches with one seed send the same draws."""
    sent = []
    for _ in range(2):
        shop = shop_sim.Shop()
        searched(shop, max_examples=10)
        sent.append((next(shop.count), len(shop.orders)))
    assert sent[0] == sent[1]


def test_no_time_sends_nothing_and_is_inconclusive() -> None:
    """A search without time examines nothing, which is no pass."""
    found = searched(shop_sim.Shop(), budget_s=0.0)
    assert found.verdict.status.value == "inconclusive"
    assert found.verdict.examined == 0


def test_what_cannot_be_set_up_is_not_tried_for_ever() -> None:
    """Where the set-up fails, the search stops after a few tries and gives the reason."""
    contract = shop_sim.Contract(
        shop_sim.document() | {"x-promises": {}, "security": [{"bearer": []}]}  # every operation asks for an identity
    )
    operation = contract.by_id["orders.create"]
    shop = shop_sim.Shop()
    given = Stage(contract, Actors({}), Random(1), "n")
    found = properties.search(ledger.PROMISE, contract, operation, lambda _: given, shop, 1, 50)
    assert found.verdict.status.value == "inconclusive"
    assert "identity" in found.verdict.reason


def test_a_promise_without_drawn_cases_is_refused() -> None:
    """A promise that has no strategy cannot be searched, and the message says what is missing."""
    with pytest.raises(ValueError, match="give it a strategy"):
        properties.search(envelope.PROMISE, shop_sim.CONTRACT, OPERATION, stage, shop_sim.Shop(), 1, 1)
