"""How many streams or sockets one caller has open in this process."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from reference_impl.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

Key = tuple[str, ...]
_AGAIN_S = 5


class Seats:
    """At most `quota` a key."""

    def __init__(self, quota: int) -> None:
        self._quota = quota
        self._taken: dict[Key, int] = {}

    def check(self, key: Key) -> None:
        """RATE_LIMITED when none is free."""
        if self._taken.get(key, 0) >= self._quota:
            raise ApiError(
                "RATE_LIMITED",
                f"At most {self._quota} may be open at once: close one.",
                headers=((b"retry-after", b"%d" % _AGAIN_S),),
            )

    def take(self, key: Key, holder: object) -> Callable[[], object]:
        """Take a seat for as long as `holder` lives; what is returned gives it back earlier. RATE_LIMITED when full."""
        self.check(key)
        self._taken[key] = self._taken.get(key, 0) + 1
        return weakref.finalize(holder, self._give_back, key)

    def _give_back(self, key: Key) -> None:
        self._taken[key] -= 1
        if not self._taken[key]:
            del self._taken[key]
