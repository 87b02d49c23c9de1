"""The limit over everything under /api/: headers of draft-ietf-httpapi-ratelimit-headers-06, admins exempt."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reference_impl.edge.exchange import of
from reference_impl.edge.tenancy import API
from reference_impl.errors import ApiError
from reference_impl.stores.limits import Decision, Limits, Rule

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from reference_impl.edge.exchange import Exchange
    from reference_impl.settings import Settings

NAME = "api.global"


class GlobalLimit:
    """Counts a request against its caller's window before it is routed, or refused for who sends it."""

    def __init__(self, app: ASGIApp, settings: Settings, limits: Limits) -> None:
        self._app = app
        self._limits = limits
        self._rule = Rule(NAME, settings.limits.global_quota, settings.limits.global_window_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http":
            exchange = of(scope)
            if exchange.path.startswith(API) and not self._exempt(exchange):
                decision = await self._limits.take(exchange.key(), self._rule)
                exchange.response_headers += self._headers(decision)
                if not decision.allowed:
                    raise spent(decision)
            if exchange.refusal is not None:
                raise exchange.refusal
        await self._app(scope, receive, send)

    def _exempt(self, exchange: Exchange) -> bool:
        return exchange.caller is not None and exchange.caller.admin

    def _headers(self, decision: Decision) -> list[tuple[bytes, bytes]]:
        return headers(decision)


def headers(decision: Decision) -> list[tuple[bytes, bytes]]:
    """Return the draft-6 headers; reset is in seconds to go."""
    return [
        (b"ratelimit-limit", str(decision.quota).encode()),
        (b"ratelimit-remaining", str(decision.remaining).encode()),
        (b"ratelimit-reset", str(decision.reset_delta()).encode()),
    ]


def spent(decision: Decision) -> ApiError:
    """Return the RATE_LIMITED with the seconds after which one request is admitted."""
    wait_s = max(1, math.ceil(decision.reset_s))
    return ApiError(
        "RATE_LIMITED",
        f"At most {decision.quota} requests a window; one is admitted again in {wait_s} s.",
        headers=((b"retry-after", str(wait_s).encode()),),
    )
