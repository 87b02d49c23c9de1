"""Serves procedures as REST: one endpoint a procedure, one route a path."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from starlette.routing import Route, Router

from reference_impl.contract.procedure import Call, Procedure, Services
from reference_impl.contract.reading import BodyReader, QueryReader
from reference_impl.edge.answers import encode, send_bytes, send_empty
from reference_impl.edge.exchange import Exchange, of
from reference_impl.edge.global_limit import spent
from reference_impl.edge.multipart import MultipartReader
from reference_impl.edge.stream import send_events
from reference_impl.errors import ApiError, invalid, not_found, unauthorized
from reference_impl.limits import Decision, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

PREFIX = "/api/v1"


def procedure_rule(procedure: Procedure, services: Services) -> Rule:
    """Return the limit of one procedure as the settings have it."""
    settings = services.settings
    return Rule(procedure.id, getattr(settings.limits.quotas, procedure.limit), settings.limits.procedure_window_s)


def limit_headers(decision: Decision) -> list[tuple[bytes, bytes]]:
    """Return the X-RateLimit headers; reset is an instant in epoch seconds."""
    return [
        (b"x-ratelimit-limit", str(decision.quota).encode()),
        (b"x-ratelimit-remaining", str(decision.remaining).encode()),
        (b"x-ratelimit-reset", str(decision.reset_epoch(time.time())).encode()),
    ]


def refuse(decision: Decision) -> ApiError:
    """Return the RATE_LIMITED of a procedure's own limit."""
    return spent(decision)


class Endpoint:
    """One procedure: guard, limit, read, call, answer."""

    def __init__(
        self,
        procedure: Procedure,
        services: Services,
        limit_headers: Callable[[Decision], list[tuple[bytes, bytes]]] = limit_headers,
        refuse: Callable[[Decision], ApiError] = refuse,
    ) -> None:
        self.procedure = procedure
        self._services = services
        self._rule = procedure_rule(procedure, services)
        self._query = QueryReader(procedure.query)
        self._body = BodyReader(procedure.input, partial=procedure.partial) if procedure.input else None
        self._multipart = (
            MultipartReader(procedure.input, services.settings.edge.upload_limit_bytes) if procedure.multipart else None
        )
        self._limit_headers = limit_headers
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        exchange = of(scope)
        await self._admit(exchange)
        query = self._query.read(scope["query_string"])
        body = await self._read_body(exchange, receive) if self._body is not None else None
        assert exchange.database is not None, "Tenancy opens a database for every /api/ path"
        call: Call[Any, Any] = Call(
            body=body,
            query=query,
            path=scope["path_params"],
            headers=exchange.headers,
            caller=exchange.caller,
            database=exchange.database,
            services=self._services,
            tenant=exchange.tenant,
            address=exchange.address,
            base=exchange.base,
        )
        reply = await self.procedure.handler(call)
        if self.procedure.stream:
            heartbeat_s = self._services.settings.realtime.heartbeat_s
            await send_events(receive, send, reply.value, reply.headers, heartbeat_s=heartbeat_s)
        elif reply.value is None:
            await send_empty(send, self.procedure.status, reply.headers)
        else:
            head = exchange.method == "HEAD"
            await send_bytes(send, self.procedure.status, encode(reply.value), reply.headers, head=head)

    async def _admit(self, exchange: Exchange) -> None:
        access = self.procedure.access
        if not access.open:
            if exchange.caller is None:
                raise unauthorized("Sign in first.")
            if not access.admits(exchange.caller.roles):
                raise ApiError("FORBIDDEN", f"This is for the roles: {', '.join(access.roles)}.")
        decision = await self._services.store.take(exchange.key(), self._rule)
        exchange.response_headers += self._limit_headers(decision)
        if not decision.allowed:
            raise self._refuse(decision)

    async def _read_body(self, exchange: Exchange, receive: Receive) -> Any:
        assert self._body is not None
        if self._multipart is not None:
            return await self._multipart.read(exchange.headers.get("content-type"), receive)
        raw = await read_bytes(receive, self._services.settings.edge.body_limit_bytes)
        kind = exchange.headers.get("content-type")
        if not raw and kind is None:
            raise invalid("body", "it is required")
        if kind is None or not is_json(kind):
            raise ApiError("UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json.")
        return self._body.read(raw)


def is_json(content_type: str) -> bool:
    """Say whether a Content-Type is JSON in the one encoding JSON has."""
    kind, _, parameters = content_type.partition(";")
    if kind.strip().lower() != "application/json":
        return False
    parameters = parameters.strip().lower().replace('"', "")
    return parameters in {"", "charset=utf-8", "charset=utf8"}


async def read_bytes(receive: Receive, limit: int) -> bytes:
    """Return the body; PAYLOAD_TOO_LARGE as soon as it passes the limit."""
    message = await receive()
    raw: bytes = message.get("body", b"")
    while message.get("more_body", False):
        if len(raw) > limit:
            break
        message = await receive()
        raw += message.get("body", b"")
    if len(raw) > limit:
        raise ApiError("PAYLOAD_TOO_LARGE", f"A body may have {limit} bytes.")
    return raw


class PathEndpoint:
    """All methods of one path; 405 with the complete Allow for the rest."""

    def __init__(self, template: str, endpoints: dict[str, ASGIApp]) -> None:
        self._template = template
        self._endpoints = dict(endpoints)
        if "GET" in self._endpoints:
            self._endpoints["HEAD"] = self._endpoints["GET"]
        self._allow = ", ".join(sorted({*self._endpoints, "OPTIONS"})).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        exchange = of(scope)
        exchange.route = self._template
        endpoint = self._endpoints.get(scope["method"])
        if endpoint is not None:
            await endpoint(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await send_empty(send, 204, ((b"allow", self._allow),))
        else:
            raise ApiError(
                "METHOD_NOT_ALLOWED",
                f"This path serves {self._allow.decode()}.",
                headers=((b"allow", self._allow),),
            )


async def _nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise not_found("path")


def router(endpoints: Sequence[Endpoint], others: dict[str, ASGIApp]) -> Router:
    """Return the router of all procedures and of the paths that are none."""
    paths: dict[str, dict[str, ASGIApp]] = {path: {"GET": app} for path, app in others.items()}
    for endpoint in endpoints:
        template = PREFIX + endpoint.procedure.path
        paths.setdefault(template, {})[endpoint.procedure.method] = endpoint
    routes = [Route(template, PathEndpoint(template, methods)) for template, methods in paths.items()]
    return Router(routes, redirect_slashes=False, default=_nowhere)
