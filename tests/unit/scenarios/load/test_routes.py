"""The ordinary load as a whole, sent to a shop in memory in no time."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import gevent  # type: ignore[import-untyped] # gevent ships no types
import pytest

from harness import config
from harness.contract import Contract
from harness.load.journey import Visit, walk
from harness.load.measurement import Limits
from harness.load.open_loop import Crew, Hooks, OpenLoop
from harness.load.plan import Plan
from harness.promises.rate_limit.annotation import limits
from reference_impl.application import Application
from reference_impl.settings import load
from scenarios.load.routes import ROUTES
from tests.unit.scenarios.load.shop_sim import ShopSim, opened

if TYPE_CHECKING:
    from harness.load.journey import Route, Step
    from harness.load.reply import Reply

SETTINGS = Path(__file__).parents[4] / "harness.toml"
SEEDS = range(8)
Sent = list[tuple[int, "Step", "Reply"]]


class AtOnce:
    """An alarm that waits for nothing but the walkers' turn."""

    def wait_until(self, _instant_ns: int) -> None:
        """Lets the walkers go on."""
        gevent.sleep(0)

    def close(self) -> None:
        """Holds nothing."""


def ordinary(seed: int) -> tuple[Plan, Sent]:
    """The load of harness.toml with its warm-up, as (due_ns, step, reply); a journey's fault is raised."""
    sim = ShopSim()
    ground, sent = opened(sim), Sent()
    settings = config.read(SETTINGS).load
    plan = Plan("", Path(), settings["rate_per_s"], settings["duration_s"], users=settings["users"], seed=seed)

    def broken(error: Exception) -> None:
        raise error

    hooks = Hooks(sim.send, lambda step, reply, due_ns: sent.append((due_ns, step, reply)), broken)
    loop = OpenLoop(ROUTES, ground, hooks, Crew(plan.users, plan.seed))
    loop.run(plan.timetable.due_ns(), 0, AtOnce())
    loop.finish(1)
    return plan, sent


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    """What the reference promises in the profile that is verified."""
    data = tmp_path_factory.mktemp("data")
    document = Application(load({"API_PROFILE": "verify", "API_DATA": str(data)})).document
    return Contract(json.loads(document))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_operation_is_sent_often_enough_to_be_judged(contract: Contract, seed: int) -> None:
    """No operation of the contract is left out, and each has a fifth more samples than are needed."""
    plan, sent = ordinary(seed)
    counts = Counter(step.operation for due_ns, step, _ in sent if due_ns >= plan.timetable.judged_from_ns)
    assert set(counts) == {operation.id for operation in contract.operations if not operation.streams}
    assert min(counts.values()) >= 1.2 * Limits().min_samples_an_operation


@pytest.mark.parametrize("seed", SEEDS)
def test_most_of_it_browses_reads_and_orders(seed: int) -> None:
    """A shop's load is its customers'."""
    _, sent = ordinary(seed)
    bulk = sum(step.method == "GET" or step.operation == "orders.create" for _, step, _ in sent)
    assert bulk > 0.5 * len(sent)


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_comes_near_a_quota(contract: Contract, seed: int) -> None:
    """In no window does anyone, or the one address of those without a token, reach what is promised to be let in."""
    _, sent = ordinary(seed)
    assert {reply.status for _, _, reply in sent} <= {200, 201, 204}
    instants: dict[tuple[str, str, int, int], list[int]] = defaultdict(list)
    for due_ns, step, _ in sent:
        caller = step.headers.get("Authorization", "address")
        for limit in limits(contract, contract.by_id[step.operation]):
            instants[limit.name, caller, limit.quota, limit.window_ns].append(due_ns)
    for (name, caller, quota, window_ns), due in instants.items():
        most = max(sum(first <= other < first + window_ns for other in due[at:]) for at, first in enumerate(due))
        assert most <= quota, (name, caller)


@pytest.mark.parametrize("status", [200, 400, 404, 429, 503, 0])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_journeys_end_whatever_is_answered(route: Route, status: int) -> None:
    """Every route yields at least one step and ends, where nothing works too."""
    sim = ShopSim()
    ground = opened(sim)
    sim.every = status
    for seed in range(10):
        sim.sent.clear()
        walk(route.steps(Visit(ground.identities[0], Random(seed), ground)), sim.send)
        assert 1 <= len(sim.sent) <= 7
        assert all(" " not in step.path for step in sim.sent)
