"""Tells who is calling: a token that is present must hold, on every route; none means nobody.

What counts is the header X-API-Key or the token of the header Authorization, else the token of the cookie `session`. A
browser cannot put a bad cookie away by itself, so the answer to one removes it, and what opens a session does not look
at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_impl.edge import forgery
from reference_impl.edge.exchange import Exchange, of
from reference_impl.errors import ApiError, unauthorized
from reference_impl.identity import cookies, keys
from reference_impl.identity.tokens import Tokens, bearer, identify

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from reference_impl.data.database import Database
    from reference_impl.data.tenants import Tenants
    from reference_impl.settings import Settings

_COOKIE = cookies.SESSION + "="
# What opens a session: the cookie of an old one is no identity here.
_OPENING = tuple(
    f"/api/{transport}/auth/{name}" for transport in ("v1", "rpc") for name in ("login", "register", "refresh", "oauth")
)


class Authentication:
    """Puts the caller into the exchange, or why there is none: guesses count against the limit of their address."""

    def __init__(self, app: ASGIApp, settings: Settings, tokens: Tokens, tenants: Tenants) -> None:
        self._app = app
        self._settings = settings
        self._tokens = tokens
        self._tenants = tenants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http":
            exchange = of(scope)
            if exchange.refusal is None:
                try:
                    await self._identify(exchange)
                except ApiError as error:
                    exchange.refusal = error
        await self._app(scope, receive, send)

    async def _identify(self, exchange: Exchange) -> None:
        header = exchange.headers.get("authorization")
        key = exchange.headers.get("x-api-key")
        if key is not None:
            if header is not None:
                raise unauthorized("Send a token or a key, not both.")
            await self._by_key(exchange, key)
        elif header is not None:
            await self.authenticate(exchange, bearer(header))
        elif _COOKIE in (cookie := exchange.headers.get("cookie", "")):
            await self._by_cookie(exchange, cookies.read(cookie, cookies.SESSION))

    async def _by_key(self, exchange: Exchange, key: str) -> None:
        database = await self._tenant(exchange, keys.tenant_of(key))
        exchange.caller = await keys.identify(database, self._settings.identity.token_key, key)

    async def _by_cookie(self, exchange: Exchange, token: str | None) -> None:
        if token is None or exchange.path.startswith(_OPENING):
            return
        try:
            await self.authenticate(exchange, token)
        except ApiError as error:
            if error.code == "UNAUTHORIZED":
                exchange.response_headers += cookies.clear(secure=exchange.secure)
            raise
        assert exchange.caller is not None
        self._by_own_page(exchange, exchange.caller.session_id)

    def _by_own_page(self, exchange: Exchange, session_id: str) -> None:
        """Pass what the cookie may do; FORBIDDEN for a write that another site can have had sent."""
        forgery.check(exchange, session_id, self._settings)

    async def authenticate(self, exchange: Exchange, token: str) -> None:
        """Put the token's holder into the exchange; UNAUTHORIZED when it does not hold here."""
        claims = self._tokens.read(token)
        exchange.caller = await identify(await self._tenant(exchange, claims.tenant), claims)

    async def _tenant(self, exchange: Exchange, name: str) -> Database:
        """Return the database of a credential's tenant; UNAUTHORIZED when the request is to another."""
        if exchange.database is not None and name != exchange.tenant:
            raise unauthorized("What is sent is of another tenant.")
        # Outside /api/ no tenant is told; the credential's own is asked.
        database = exchange.database or await self._tenants.get(name)
        if database is None:
            raise unauthorized("What is sent does not hold.")
        return database
