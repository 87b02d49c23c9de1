"""A bounded map whose entries end: the least recently used goes first."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.stores.cache import Key

V = TypeVar("V")


class Lru(Generic[V]):
    """At most `entries` values, none for longer than `age_s`."""

    def __init__(self, entries: int, age_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = entries
        self._age_s = age_s
        self._clock = clock
        self._held: OrderedDict[Key, tuple[V, float]] = OrderedDict()

    def get(self, key: Key) -> V | None:
        """Return a value whose time is not over; that it was read renews its place, not its age."""
        found = self._held.get(key)
        if found is None:
            return None
        if found[1] <= self._clock():
            del self._held[key]
            return None
        self._held.move_to_end(key)
        return found[0]

    def put(self, key: Key, value: V, age_s: float) -> None:
        """Hold a value for `age_s`, or for the map's own age when that is shorter."""
        self._held[key] = (value, self._clock() + min(age_s, self._age_s))
        self._held.move_to_end(key)
        while len(self._held) > self._size:
            self._held.popitem(last=False)

    def replace(self, key: Key, value: V) -> None:
        """Hold another value for what is left of the time."""
        self._held[key] = (value, self._held[key][1])

    def pop(self, key: Key) -> None:
        """Forget a value."""
        self._held.pop(key, None)

    def pop_prefix(self, prefix: Key) -> None:
        """Forget every value whose key begins with `prefix`."""
        for key in [key for key in self._held if key[: len(prefix)] == prefix]:
            del self._held[key]

    def __len__(self) -> int:
        return len(self._held)
