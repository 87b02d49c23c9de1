"""Which items xdist gives to one worker: those that judge the same survey, so that it is driven once."""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # xdist ships no types

from harness.promises.catalogue import STANDING

KEYS = "|".join(promise.key for promise in STANDING)


class SurveyScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist is not typed
    """An item is a scope of its own, but for standing promises of one operation, which are one together."""

    def _split_scope(self, nodeid: str) -> str:
        """The name of the scope that an item belongs to."""
        return scope(nodeid)


def scope(nodeid: str) -> str:
    """The survey that an item judges, or the item itself."""
    match = re.search(rf"\[(?:{KEYS})-(.+)\]$", nodeid)
    return f"survey of {match[1]}" if match else nodeid
