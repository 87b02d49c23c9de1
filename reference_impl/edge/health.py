"""Health and readiness: outside tenants and limits, true about the database; ready is who can serve a call."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import msgspec

from reference_impl.clock import rfc3339
from reference_impl.data.database import DatabaseError
from reference_impl.edge.answers import encode, send_bytes
from reference_impl.edge.exchange import of
from reference_impl.errors import unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Receive, Scope, Send

    from reference_impl.data.tenants import Tenants


class Health(msgspec.Struct, forbid_unknown_fields=True):
    """What /health answers; uptime in seconds."""

    status: Literal["ok"]
    timestamp: str
    uptime: float
    database: Literal["up"]


class HealthEndpoint:
    """Asks the databases on each call; UNAVAILABLE when one is gone, or what `needed` else asks does not answer."""

    def __init__(self, tenants: Tenants, needed: Callable[[], Awaitable[bool]] | None = None) -> None:
        self._tenants = tenants
        self._needed = needed
        self._started_s = time.monotonic()

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        try:
            healthy = await self._tenants.healthy()
        except DatabaseError:
            healthy = False
        if not healthy:
            raise unavailable("The database does not answer.")
        if self._needed is not None and not await self._needed():
            raise unavailable("The shared store does not answer.")
        uptime = round(time.monotonic() - self._started_s, 3)
        body = Health(status="ok", timestamp=rfc3339(time.time()), uptime=uptime, database="up")
        exchange = of(scope)
        await send_bytes(send, 200, encode(body), head=exchange.method == "HEAD", pretty=exchange.pretty)
