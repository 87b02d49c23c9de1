"""Tells who is calling: a token that is present must hold, on every route; none means nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_impl.edge.exchange import Exchange, of
from reference_impl.errors import unauthorized
from reference_impl.identity.tokens import Tokens, bearer, identify

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from reference_impl.data.tenants import Tenants


class Authentication:
    """Reads the Authorization header into the exchange's caller."""

    def __init__(self, app: ASGIApp, tokens: Tokens, tenants: Tenants) -> None:
        self._app = app
        self._tokens = tokens
        self._tenants = tenants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http":
            exchange = of(scope)
            header = exchange.headers.get("authorization")
            if header is not None:
                await self.authenticate(exchange, header)
        await self._app(scope, receive, send)

    async def authenticate(self, exchange: Exchange, header: str) -> None:
        """Put the caller into the exchange; UNAUTHORIZED when the token does not hold here."""
        claims = self._tokens.read(bearer(header))
        if exchange.database is not None and claims.tenant != exchange.tenant:
            raise unauthorized("The token is of another tenant.")
        # Outside /api/ no tenant is told; the token's own is asked.
        database = exchange.database or self._tenants.get(claims.tenant)
        if database is None:
            raise unauthorized("The token does not hold.")
        exchange.caller = await identify(database, claims)
