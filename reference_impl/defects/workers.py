"""Defects that only several workers have: S07, W01."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reference_impl.defects.defect import EVERY_OPERATION, Defect
from reference_impl.stores.choice import open_stores
from reference_impl.stores.memory.cache import MemoryCache
from reference_impl.stores.memory.limits import MemoryLimits

if TYPE_CHECKING:
    from reference_impl.application import Parts
    from reference_impl.settings import Settings
    from reference_impl.stores.choice import Stores

SEVERAL = "2"


def plant_own_lists(parts: Parts) -> Parts:
    """S07: a write makes this process forget its lists; what another holds stays until it is too old."""

    def forgetful(settings: Settings) -> Stores:
        cache = MemoryCache(settings.cache.near_entries, settings.cache.near_age_s)
        return replace(open_stores(settings), cache=cache)

    return replace(parts, stores=forgetful)


def plant_own_counts(parts: Parts) -> Parts:
    """W01: count what this process admitted alone."""

    def alone(settings: Settings) -> Stores:
        return replace(open_stores(settings), limits=MemoryLimits())

    return replace(parts, stores=alone)


DEFECTS = (
    Defect(
        id="S07",
        title="A change clears the lists of the worker that made it, and of no other",
        codes=("cache.stale", "resource.not-listed", "delete.read", "delete.listed"),
        operations=tuple(operation for operation in EVERY_OPERATION if operation.startswith(("products.", "categor"))),
        plant=plant_own_lists,
        profile=SEVERAL,
    ),
    Defect(
        id="W01",
        title="Each worker counts a limit for itself",
        codes=("rate-limit.overshoot",),
        operations=EVERY_OPERATION,
        plant=plant_own_counts,
        profile=SEVERAL,
    ),
)
