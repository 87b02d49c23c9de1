"""Defects of what a limit counts: S46, A8a, A8b, A8c, A8d, E1a."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reference_impl.defects.defect import EVERY_OPERATION, Defect
from reference_impl.stores.choice import open_stores
from reference_impl.stores.limits import Decision
from reference_impl.stores.memory.limits import MemoryLimits, decide

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.application import Parts
    from reference_impl.settings import Settings
    from reference_impl.stores.choice import Stores
    from reference_impl.stores.limits import Key, Rule


class FixedWindow(MemoryLimits):
    """S46: begin to count anew at each whole window; twice the quota passes across its edge."""

    async def take(self, key: Key, rule: Rule) -> Decision:
        """Count one request in the window of now."""
        now = self.now()
        begun = now // rule.window_s * rule.window_s
        log = self.admitted(key, rule, now)
        while log and log[0] < begun:
            log.popleft()
        allowed = len(log) < rule.quota
        if allowed:
            log.append(now)
        left_s = begun + rule.window_s - now
        ticket = repr(now) if allowed else ""
        return Decision(allowed, rule.quota, max(0, rule.quota - len(log)), left_s, ticket)


class OneMore(MemoryLimits):
    """A8a: compare with `<=`; one call more than the quota is admitted."""

    async def take(self, key: Key, rule: Rule) -> Decision:
        """Count one request unless more than the quota are counted."""
        now = self.now()
        log = self.admitted(key, rule, now)
        allowed = len(log) <= rule.quota
        if allowed:
            log.append(now)
        return decide(log, rule, now, allowed=allowed)


class CountingRefusals(MemoryLimits):
    """A8b: count before asking; who goes on calling while refused is never admitted again."""

    async def take(self, key: Key, rule: Rule) -> Decision:
        """Count one request and then look."""
        now = self.now()
        log = self.admitted(key, rule, now)
        log.append(now)
        return decide(log, rule, now, allowed=len(log) <= rule.quota)


class RemainingBefore(MemoryLimits):
    """A8c: tell what was left before this call; the last call of a quota is told that one more is."""

    async def take(self, key: Key, rule: Rule) -> Decision:
        """Count one request and tell the remainder of before."""
        decision = await super().take(key, rule)
        if not decision.allowed:
            return decision
        return replace(decision, remaining=decision.remaining + 1)


class WithoutCaller(MemoryLimits):
    """A8d: the limit of new reviews is kept for the shop, not for each caller; one's calls use up another's."""

    async def take(self, key: Key, rule: Rule) -> Decision:
        """Count one request of whoever sent it."""
        return await super().take(key[:1] if rule.name == "reviews.create" else key, rule)


class WithoutTenant(MemoryLimits):
    """E1a: the key lacks the tenant; who is signed in nowhere spends in one tenant what he has in another."""

    async def take(self, key: Key, rule: Rule) -> Decision:
        """Count one request wherever it was sent."""
        return await super().take(key[1:], rule)

    async def give_back(self, key: Key, rule: Rule, taken: Decision) -> None:
        """Forget an admission."""
        await super().give_back(key[1:], rule, taken)


def counting(limits: Callable[[], MemoryLimits]) -> Callable[[Parts], Parts]:
    """Return the planting of other limits."""

    def stores(settings: Settings) -> Stores:
        return replace(open_stores(settings), limits=limits())

    return lambda parts: replace(parts, stores=stores)


DEFECTS = (
    Defect(
        id="S46",
        title="The window is fixed: twice the quota passes across its edge",
        codes=("rate-limit.overshoot",),
        operations=EVERY_OPERATION,
        plant=counting(FixedWindow),
    ),
    Defect(
        id="A8a",
        title="A limit admits one call more than its quota",
        codes=("rate-limit.overshoot",),
        operations=EVERY_OPERATION,
        plant=counting(OneMore),
    ),
    Defect(
        id="A8b",
        title="Refused calls count: who goes on calling is never admitted again",
        codes=("rate-limit.refused-early", "rate-limit.headers-untrue"),
        operations=EVERY_OPERATION,
        plant=counting(CountingRefusals),
    ),
    Defect(
        id="A8c",
        title="The remaining calls are told as they were before this one",
        codes=("rate-limit.headers-untrue",),
        operations=EVERY_OPERATION,
        plant=counting(RemainingBefore),
    ),
    Defect(
        id="A8d",
        title="The limit of new reviews is shared by all callers",
        codes=("rate-limit.shared-key", "rate-limit.refused-early"),
        operations=("reviews.create",),
        plant=counting(WithoutCaller),
    ),
    Defect(
        id="E1a",
        title="Limits of addresses are shared by all tenants",
        codes=("rate-limit.shared-key", "rate-limit.refused-early"),
        operations=EVERY_OPERATION,
        plant=counting(WithoutTenant),
    ),
)
