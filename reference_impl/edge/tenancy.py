"""Tells the tenant: X-Tenant-ID, then the label under the base domain, then /t/{tenant}, then the default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_impl.edge.exchange import Exchange, of, serve
from reference_impl.errors import not_found
from reference_impl.settings.reader import TENANT_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from reference_impl.data.database import Database
    from reference_impl.data.tenants import Tenants
    from reference_impl.settings import Settings

API = "/api/"


class Tenancy:
    """Opens the tenant's database for what stands under /api/; nothing else has a tenant."""

    def __init__(
        self, app: ASGIApp, settings: Settings, tenants: Tenants, observed: Callable[[Database], Database]
    ) -> None:
        self._app = app
        self._observed = observed
        self._settings = settings
        self._tenants = tenants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = of(scope)
        prefixed = strip_prefix(exchange)
        if prefixed:
            scope = {**scope, "path": exchange.path}
        if exchange.path.startswith(API):
            name = self._told(exchange, prefixed)
            database = await self._tenants.get(name)
            if database is None:
                exchange.refusal = not_found("tenant")
            else:
                exchange.tenant = name
                exchange.database = self._observed(database)
                serve(exchange)
        await self._app(scope, receive, send)

    def _told(self, exchange: Exchange, prefixed: str) -> str:
        return (
            exchange.headers.get("x-tenant-id")
            or label(exchange.headers.get("host", ""), self._settings.edge.base_domain)
            or prefixed
            or self._settings.edge.default_tenant
        )


def strip_prefix(exchange: Exchange) -> str:
    """Return the tenant of a /t/{tenant}/ path and shorten the path by it; else nothing."""
    if not exchange.path.startswith("/t/"):
        return ""
    name, slash, rest = exchange.path[3:].partition("/")
    if not slash or not TENANT_NAME.fullmatch(name):
        return ""
    exchange.base = f"/t/{name}"
    exchange.path = f"/{rest}"
    return name


def label(host: str, base_domain: str) -> str:
    """Return the label of a host directly under the base domain; an address or the bare domain has none."""
    if not base_domain:
        return ""
    name = host.rsplit(":", 1)[0].lower().rstrip(".")
    if not name.endswith(f".{base_domain}"):
        return ""
    return name[: -len(base_domain) - 1]
