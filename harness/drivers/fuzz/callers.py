"""The identities of one role that a fuzzing speaks for: which may call an operation now, and what to do without one.

A quota that is used up is passed on to another identity of the role, since a wait would eat the budget. The first whose
quota is open goes first, so that what an identity made is mostly used by the same identity again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.identities import ANONYMOUS, Identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.clock import Clock

    Renew = Callable[[Identity], Identity]

MAX_CALLERS = 40
MAX_RENEWALS = 25
EVERYBODY = "*"
NS_PER_S = 1_000_000_000


class Callers:
    """Identities of one role.

    `renew` gives a working identity of the same role: another one where the API can register, the same one logged in
    again where it cannot; it raises a HarnessError where it can give neither. None means that there is no such way. It
    is given the identity that was lost, or nobody where none was and one more is wanted.
    """

    def __init__(
        self, first: Identity, clock: Clock, *, renew: Renew | None = None, anonymous: Identity = ANONYMOUS
    ) -> None:
        self.first, self.anonymous = first, anonymous
        self.renewals = 0
        self.lost = ""
        self._renew, self._clock = renew, clock
        self._identities = [first]
        self._grows = renew is not None and first.name != ANONYMOUS.name
        self._closed_ns: dict[tuple[str, str], int] = {}
        self._served: set[tuple[str, str]] = set()
        self._shared: set[str] = set()

    def pick(self, operation: str) -> Identity | None:
        """Who calls the operation next; None where everyone's quota is used up."""
        now_ns = self._clock.now_ns()
        if self._closed_ns.get((operation, EVERYBODY), 0) > now_ns:
            return None
        for identity in self._identities:
            if self._closed_ns.get((operation, identity.name), 0) <= now_ns:
                return identity
        return self._another() if operation not in self._shared else None

    def wait_s(self, operation: str) -> float:
        """Seconds until someone may call the operation again; 0 where someone may."""
        names = [EVERYBODY] if operation in self._shared else [identity.name for identity in self._identities]
        opens_ns = min((self._closed_ns.get((operation, name), 0) for name in names), default=0)
        return max(0.0, (opens_ns - self._clock.now_ns()) / NS_PER_S)

    def served(self, operation: str, identity: Identity) -> None:
        """The operation let the identity in, whatever it said then."""
        self._served.add((operation, identity.name))

    def refused(self, operation: str, identity: Identity, seconds: float) -> None:
        """The identity's quota for the operation is used up for so long.

        Where one that had not called it yet is refused too, the quota is not the identity's, and all of them wait.
        """
        until_ns = self._clock.now_ns() + int(seconds * NS_PER_S)
        self._closed_ns[operation, identity.name] = until_ns
        if (operation, identity.name) not in self._served and identity is not self.first:
            self._shared.add(operation)
        if operation in self._shared:
            self._closed_ns[operation, EVERYBODY] = until_ns

    def renewed(self, identity: Identity) -> Identity | None:
        """What takes the place of an identity that is not accepted any more; None where nothing can."""
        if self._renew is None or self.renewals >= MAX_RENEWALS:
            return None
        self.renewals += 1
        try:
            fresh = self._renew(identity)
        except HarnessError as error:
            self._identities = [other for other in self._identities if other is not identity]
            if not self._identities:
                self.lost = f"its identity was refused in mid-run and cannot be renewed: {error}"
            return self._identities[0] if self._identities else None
        self._identities = [fresh if other.name == identity.name else other for other in self._identities]
        if identity.name == self.first.name:
            self.first = fresh
        return fresh

    def _another(self) -> Identity | None:
        if not self._grows or self._renew is None or len(self._identities) >= MAX_CALLERS:
            return None
        try:
            fresh = self._renew(self.anonymous)
        except HarnessError:
            self._grows = False
            return None
        if fresh.name in {identity.name for identity in self._identities}:
            self._grows = False
            self._identities = [fresh if other.name == fresh.name else other for other in self._identities]
            return None
        self._identities.append(fresh)
        return fresh
