"""Serves procedures as REST: path, query and body apart, the value as JSON."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from reference_impl.contract.procedure import PREFIX
from reference_impl.contract.reading import BodyReader, QueryReader
from reference_impl.edge.answers import encode, send_bytes, send_empty
from reference_impl.edge.bodies import is_json, read_bytes
from reference_impl.edge.endpoint import Endpoint, Input
from reference_impl.edge.exchange import Exchange, of
from reference_impl.edge.multipart import MultipartReader
from reference_impl.edge.preferences import hold_acceptable
from reference_impl.edge.prepared import matches
from reference_impl.edge.stream import send_events, send_head
from reference_impl.errors import ApiError, invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from reference_impl.contract.procedure import Procedure, Reply, Services


class RestTransport:
    """The REST form of one procedure."""

    def __init__(self, procedure: Procedure, services: Services) -> None:
        self._procedure = procedure
        self._settings = services.settings
        self._query = QueryReader(procedure.query)
        self._body = BodyReader(procedure.input, partial=procedure.partial) if procedure.input else None
        self._media_type = "text/event-stream" if procedure.stream else "application/json"
        upload_limit_bytes = services.settings.edge.upload_limit_bytes
        self._multipart = MultipartReader(procedure.input, upload_limit_bytes) if procedure.multipart else None

    async def read(self, scope: Scope, receive: Receive) -> Input:
        """Return what a request says; ApiError when it does not fit the procedure's types."""
        exchange = of(scope)
        if self._procedure.output is not None:
            hold_acceptable(exchange.headers.get("accept", "*/*"), self._media_type)
        query = self._query.read(scope["query_string"])
        body = await self._read_body(exchange, receive) if self._body is not None else None
        return Input(scope["path_params"], query, body)

    async def _read_body(self, exchange: Exchange, receive: Receive) -> Any:
        assert self._body is not None
        kind = exchange.headers.get("content-type")
        if self._multipart is not None:
            return await self._multipart.read(kind, receive)
        raw = await read_bytes(receive, self._settings.edge.body_limit_bytes)
        if not raw and kind is None:
            raise invalid("body", "it is required")
        if kind is None or not is_json(kind):
            raise ApiError("UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json.")
        return self._body.read(raw)

    async def answer(self, scope: Scope, receive: Receive, send: Send, reply: Reply) -> None:
        """Send what the procedure replied."""
        if self._procedure.stream and of(scope).method == "HEAD":
            await send_head(send, reply.value, reply.headers)
        elif self._procedure.stream:
            heartbeat_s = self._settings.realtime.heartbeat_s
            await send_events(receive, send, reply.value, reply.headers, heartbeat_s=heartbeat_s)
        elif reply.value is None:
            await send_empty(send, self._procedure.status, reply.headers)
        elif conditional(self._procedure) and unchanged(of(scope), reply):
            await send_empty(send, HTTPStatus.NOT_MODIFIED, reply.headers)
        else:
            exchange = of(scope)
            body, head = encode(reply.value), exchange.method == "HEAD"
            await send_bytes(send, self._procedure.status, body, reply.headers, head=head, pretty=exchange.pretty)


def conditional(procedure: Procedure) -> bool:
    """Say whether a read tells its version, so that a client may ask for it only if it is another by now."""
    return procedure.method == "GET" and "ETag" in procedure.response_headers


def unchanged(exchange: Exchange, reply: Reply) -> bool:
    """Say whether If-None-Match names the reply's entity tag."""
    return matches(exchange.headers.get("if-none-match"), dict(reply.headers)[b"etag"].decode())


def paths(endpoints: Iterable[Endpoint]) -> dict[str, dict[str, ASGIApp]]:
    """Return the endpoints by path template and method."""
    found: dict[str, dict[str, ASGIApp]] = {}
    for endpoint in endpoints:
        found.setdefault(PREFIX + endpoint.procedure.path, {})[endpoint.procedure.method] = endpoint
    return found
