"""What the layers know of one request, carried in the ASGI scope."""

from __future__ import annotations

import time
import weakref
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from reference_impl.identity.addresses import counted

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from reference_impl.data.database import Database
    from reference_impl.errors import ApiError
    from reference_impl.identity.tokens import Identity


class Writes(Protocol):
    """Says whether a commit of a request's was done, or was on its way when its end was lost."""

    kept: bool


@dataclass(slots=True, weakref_slot=True)
class Exchange:
    """One request as far as the layers have come."""

    request_id: str
    method: str
    headers: dict[str, str]
    """Lower-case names; the values of a name sent twice are joined by a comma."""
    peer: str
    secure: bool
    started_s: float
    path: str = ""
    base: str = ""
    tenant: str = ""
    database: Database | None = None
    writes: Writes | None = None
    """What knows whether something of this request is kept."""
    caller: Identity | None = None
    address: str = ""
    route: str = ""
    status: int = 0
    pretty: bool = False
    """Whether JSON is indented."""
    policy: bytes = b"default-src 'none'; frame-ancestors 'none'"
    """The content security policy of the answer; an error's is the same, as it is no page."""
    refusal: ApiError | None = None
    """What it ends in once it is counted: no such tenant, or a credential that does not hold."""
    fault: Exception | None = None
    """What went wrong that nobody expected; the client is told less."""
    response_headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    calls: list[tuple[str, float]] = field(default_factory=list)
    """Calls of the database that are counted when the status is known: operation and milliseconds."""
    over: bool = False

    def duration_ms(self) -> float:
        """Milliseconds since the request came."""
        return round((time.perf_counter() - self.started_s) * 1000, 3)

    @property
    def user_id(self) -> str:
        """The caller's id, or nothing."""
        return self.caller.user_id if self.caller else ""

    def key(self) -> tuple[str, ...]:
        """Whom limits count: the user if known, else the address, within the tenant."""
        if self.caller is not None:
            return (self.tenant, "user", self.caller.user_id)
        return (self.tenant, "address", counted(self.address))


# A connection or a timer that is opened meanwhile keeps a copy of the context, and is not to keep the request.
_SERVED: ContextVar[weakref.ref[Exchange] | None] = ContextVar("served", default=None)


def serve(exchange: Exchange) -> None:
    """Say which request the running task works for from now on, and whatever it begins."""
    _SERVED.set(weakref.ref(exchange))


def served() -> Exchange | None:
    """Return the request that the running task works for; None beside requests, and in what outlives its own."""
    found = _SERVED.get()
    exchange = None if found is None else found()
    return None if exchange is None or exchange.over else exchange


def of(scope: MutableMapping[str, Any]) -> Exchange:
    """Return the exchange of a request."""
    exchange: Exchange = scope["exchange"]
    return exchange
