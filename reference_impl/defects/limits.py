"""Defects of the rate limits: S32, S33."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from reference_impl.defects.defect import EVERY_OPERATION, Defect
from reference_impl.edge.endpoint import limit_headers
from reference_impl.errors import ApiError
from reference_impl.stores.choice import open_stores
from reference_impl.stores.memory.limits import MemoryLimits, decide

if TYPE_CHECKING:
    from reference_impl.application import Parts
    from reference_impl.settings import Settings
    from reference_impl.stores.choice import Stores
    from reference_impl.stores.limits import Decision, Key, Rule

# About a round trip to a database that is near.
_ROUND_TRIP_S = 0.005


class RacingLimits(MemoryLimits):
    """S32: counts, waits as for a database, then inserts."""

    async def take(self, key: Key, rule: Rule) -> Decision:
        """Let pass whoever counted before the others inserted."""
        counted = len(self.admitted(key, rule, self.now()))
        await asyncio.sleep(_ROUND_TRIP_S)
        now = self.now()
        log = self.admitted(key, rule, now)
        allowed = counted < rule.quota
        if allowed:
            log.append(now)
        return decide(log, rule, now, allowed=allowed)


def plant_race(parts: Parts) -> Parts:
    """S32: use the racing limits."""

    def racing(settings: Settings) -> Stores:
        return replace(open_stores(settings), limits=RacingLimits())

    return replace(parts, stores=racing)


def reset_now(decision: Decision) -> list[tuple[bytes, bytes]]:
    """S33a: say that the window is over now, whenever it is."""
    now = str(int(time.time())).encode()
    return [(name, now if name == b"x-ratelimit-reset" else value) for name, value in limit_headers(decision)]


def plant_reset(parts: Parts) -> Parts:
    """S33a: use the untrue header."""
    return replace(parts, limit_headers=reset_now)


def admitted_only(decision: Decision) -> list[tuple[bytes, bytes]]:
    """S33b: say nothing about the limit on the refusal."""
    return limit_headers(decision) if decision.allowed else []


def plant_silence(parts: Parts) -> Parts:
    """S33b: use the silent refusal."""
    return replace(parts, limit_headers=admitted_only)


def refuse_for_ever(decision: Decision) -> ApiError:
    """S33c: refuse without saying until when."""
    return ApiError("RATE_LIMITED", f"At most {decision.quota} requests a window.")


def plant_refusal(parts: Parts) -> Parts:
    """S33c: use the refusal without Retry-After."""
    return replace(parts, refuse=refuse_for_ever)


DEFECTS = (
    Defect(
        id="S32",
        title="The limiter counts, waits, then inserts: concurrent requests pass the quota",
        codes=("rate-limit.overshoot",),
        operations=EVERY_OPERATION,
        plant=plant_race,
    ),
    Defect(
        id="S33a",
        title="X-RateLimit-Reset is always now",
        codes=("rate-limit.headers-untrue",),
        operations=EVERY_OPERATION,
        plant=plant_reset,
    ),
    Defect(
        id="S33b",
        title="The 429 has no X-RateLimit headers",
        codes=("rate-limit.no-headers",),
        operations=EVERY_OPERATION,
        plant=plant_silence,
    ),
    Defect(
        id="S33c",
        title="The 429 has no Retry-After",
        codes=("rate-limit.no-retry-after", "schema.missing-header"),
        operations=EVERY_OPERATION,
        plant=plant_refusal,
    ),
)
