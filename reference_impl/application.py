"""Puts the application together: the layers in their order around the procedures."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from reference_impl.contract.document import render
from reference_impl.contract.procedure import Call, Procedure, Services
from reference_impl.data.tenants import Tenants, open_tenants
from reference_impl.edge import files, rest
from reference_impl.edge.answers import Render, envelope
from reference_impl.edge.authentication import Authentication
from reference_impl.edge.compression import Compression
from reference_impl.edge.cors import Cors
from reference_impl.edge.docs import DocsEndpoint
from reference_impl.edge.document import DocumentEndpoint
from reference_impl.edge.ended import Ended
from reference_impl.edge.endpoint import Endpoint, limit_headers, refuse
from reference_impl.edge.global_limit import GlobalLimit
from reference_impl.edge.health import HealthEndpoint
from reference_impl.edge.intake import Intake
from reference_impl.edge.list_cache import key_of
from reference_impl.edge.metrics import MetricsEndpoint
from reference_impl.edge.outer import Front, Outer
from reference_impl.edge.rest import RestTransport
from reference_impl.edge.routes import Paths
from reference_impl.edge.tenancy import Tenancy
from reference_impl.edge.timeout import Timeout
from reference_impl.identity.addresses import client_address
from reference_impl.identity.passwords import Passwords
from reference_impl.identity.provider import Provider
from reference_impl.identity.tokens import Tokens
from reference_impl.objects.store import open_objects
from reference_impl.observation.observer import Observer
from reference_impl.pictures import Pictures
from reference_impl.procedures import oauth
from reference_impl.procedures.catalogue import PROCEDURES
from reference_impl.realtime import asyncapi
from reference_impl.realtime import upgrade as sockets
from reference_impl.realtime.feeds import Feeds
from reference_impl.realtime.hub import Hubs
from reference_impl.rpc import batch
from reference_impl.rpc import transport as rpc
from reference_impl.rpc.batch import Batch
from reference_impl.rpc.failures import rendered
from reference_impl.rpc.transport import RpcTransport
from reference_impl.stores.choice import Stores, open_stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from reference_impl.edge.endpoint import Transport
    from reference_impl.errors import ApiError
    from reference_impl.settings import Settings
    from reference_impl.settings.reader import Network
    from reference_impl.stores.cache import Key
    from reference_impl.stores.limits import Decision


@dataclass(frozen=True, slots=True)
class Parts:
    """What an application is made of. A planted defect is another value of one of these."""

    procedures: tuple[Procedure, ...] = PROCEDURES
    stores: Callable[[Settings], Stores] = open_stores
    envelope: Render = envelope
    limit_headers: Callable[[Decision], list[tuple[bytes, bytes]]] = limit_headers
    refuse: Callable[[Decision], ApiError] = refuse
    pragmas: tuple[str, ...] = field(default=())
    tenants: Callable[[Settings, tuple[str, ...]], Tenants] = open_tenants
    authentication: type[Authentication] = Authentication
    global_limit: type[GlobalLimit] = GlobalLimit
    paths: type[Paths] = Paths
    list_key: Callable[[Procedure, Call[Any, Any]], Key] = key_of
    address: Callable[[str, str | None, tuple[Network, ...]], str] = client_address
    outer: type[Outer] = Outer
    cors: type[Cors] = Cors
    tenancy: type[Tenancy] = Tenancy
    tokens: type[Tokens] = Tokens
    pictures: Callable[[], Pictures] = Pictures
    rpc_endpoint: type[Endpoint] = Endpoint


class Application:
    """The ASGI application, with the handles that commands and tests need."""

    def __init__(self, settings: Settings, parts: Parts | None = None) -> None:
        parts = parts or Parts()
        self.settings = settings
        self.tenants = parts.tenants(settings, parts.pragmas)
        self.stores = parts.stores(settings)
        self.services = Services(
            settings=settings,
            limits=self.stores.limits,
            cache=self.stores.cache,
            bus=self.stores.bus,
            tokens=parts.tokens(settings.identity.token_key, settings.identity.token_life_s),
            passwords=Passwords(settings.identity.argon2_time_cost, settings.identity.argon2_memory_kib),
            objects=open_objects(settings),
            feeds=Feeds(self.stores.bus, settings.realtime),
            pictures=parts.pictures(),
            provider=Provider(settings.oauth) if settings.oauth.issuer else None,
        )
        if settings.oauth.issuer:
            parts = replace(parts, procedures=(*parts.procedures, *oauth.PROCEDURES))
        self.observer = Observer(settings)
        self.hubs = Hubs(self.services)
        self._procedures = parts.procedures
        self._documents: dict[str, DocumentEndpoint | DocsEndpoint] = {
            "/openapi.json": DocumentEndpoint(lambda: self.document),
            "/asyncapi.json": DocumentEndpoint(lambda: self.messages),
            "/docs": DocsEndpoint(lambda: self.document),
        }
        self._app = self._layers(parts)

    @cached_property
    def document(self) -> bytes:
        """The OpenAPI document."""
        return msgspec.json.encode(render(self._procedures, self.services))

    @cached_property
    def messages(self) -> bytes:
        """The AsyncAPI document."""
        return msgspec.json.encode(asyncapi.render(self._procedures))

    def _layers(self, parts: Parts) -> ASGIApp:
        """Build from the inside out; the last is the first a request meets."""
        others: dict[str, ASGIApp] = {
            "/health": HealthEndpoint(self.tenants),
            "/ready": HealthEndpoint(self.tenants, self.stores.healthy),
            **self._documents,
            files.ROUTE: files.FileEndpoint(self.services.objects),
            sockets.PATH: sockets.SocketEndpoint(self.services, self.hubs, self.observer.watchers),
        }
        if self.settings.observe.metrics:
            others["/metrics"] = MetricsEndpoint(self.observer.metrics, self.settings.observe.metrics_from)
        rest_endpoints, rpc_endpoints = [], []
        for procedure in parts.procedures:
            rest_endpoints.append(self._endpoint(Endpoint, procedure, RestTransport(procedure, self.services), parts))
            form = RpcTransport(procedure, self.services, parts.envelope)
            rpc_endpoints.append(self._endpoint(parts.rpc_endpoint, procedure, form, parts))
        routes = parts.paths(
            {
                **{path: {"GET": app} for path, app in others.items()},
                **rest.paths(rest_endpoints),
                **rpc.paths(rpc_endpoints),
                batch.ROUTE: {"GET": batch.refuse, "POST": batch.refuse},
            }
        )
        routes.lifespan_context = self._lifespan
        app: ASGIApp = routes
        app = parts.global_limit(app, self.settings, self.services.limits)
        app = parts.authentication(app, self.settings, self.services.tokens, self.tenants)
        app = parts.tenancy(app, self.settings, self.tenants, self.observer.database)
        render_error, watchers = rendered(parts.envelope), self.observer.watchers
        front = Front(self.settings.edge.trusted_proxies, routes.named, parts.address)
        # A part of a batch passes what stands below here as a request of its own.
        part = parts.outer(Timeout(Intake(app, self.settings), self.settings), render_error, watchers, front)
        app = Batch(app, part, self.settings)
        app = Intake(app, self.settings)
        app = Compression(app, self.settings)
        app = parts.cors(app, self.settings)
        app = Timeout(app, self.settings)
        return sockets.Upgrade(self.observer.traced(parts.outer(Ended(app), render_error, watchers, front)))

    def _endpoint(self, kind: type[Endpoint], procedure: Procedure, form: Transport, parts: Parts) -> Endpoint:
        return kind(procedure, self.services, form, parts.limit_headers, parts.refuse, parts.list_key)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: object) -> AsyncIterator[None]:
        for endpoint in self._documents.values():
            _ = endpoint.prepared  # no request waits while they are rendered
        await self.tenants.migrate()
        async with self.observer.running():
            yield
            self.end_streams()
            self.hubs.close()
        await self.stores.close()
        self.services.pictures.close()
        self.services.passwords.close()
        await self.services.objects.close()
        await self.tenants.close()

    @property
    def message_limit_bytes(self) -> int:
        """How large a message of a WebSocket may be."""
        return self.settings.realtime.message_limit_bytes

    def end_streams(self) -> None:
        """Tell whoever listens that the server ends; called before requests in flight are waited for."""
        self.services.feeds.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        await self._app(scope, receive, send)
