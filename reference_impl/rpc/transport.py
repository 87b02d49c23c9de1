"""Serves procedures as RPC: one input, its value as {json, meta}, at the path that the procedure's id spells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_impl.edge.answers import send_bytes, send_empty
from reference_impl.edge.exchange import of
from reference_impl.edge.outer import told
from reference_impl.edge.preferences import hold_acceptable
from reference_impl.edge.stream import send_frames, send_head
from reference_impl.errors import invalid
from reference_impl.rpc.events import frames
from reference_impl.rpc.failures import failure
from reference_impl.rpc.joined import JoinedInput
from reference_impl.rpc.reading import InputReader
from reference_impl.rpc.writing import OutputWriter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from reference_impl.contract.procedure import Procedure, Reply, Services
    from reference_impl.edge.answers import Render
    from reference_impl.edge.endpoint import Endpoint, Input

PREFIX = "/api/rpc"
PART = "rpc.part"
"""Stands in the scope of a call that is part of a batch."""


class RpcTransport:
    """The RPC form of one procedure."""

    def __init__(self, procedure: Procedure, services: Services, envelope: Render) -> None:
        self._procedure = procedure
        self._envelope = envelope
        self._heartbeat_s = services.settings.realtime.heartbeat_s
        self._media_type = "text/event-stream" if procedure.stream else "application/json"
        self._input = InputReader(services.settings, files=procedure.multipart)
        self._joined = JoinedInput(procedure)
        self._output = OutputWriter(procedure.output)

    async def read(self, scope: Scope, receive: Receive) -> Input:
        """Return what a request says; ApiError when it does not fit the procedure's types."""
        if self._procedure.stream and PART in scope:
            raise invalid("batch", "a stream is no part of a batch: call it by itself")
        hold_acceptable(of(scope).headers.get("accept", "*/*"), self._media_type)
        return self._joined.split(await self._input.read(scope, receive))

    async def answer(self, scope: Scope, receive: Receive, send: Send, reply: Reply) -> None:
        """Send what the procedure replied."""
        exchange = of(scope)
        if self._procedure.stream and exchange.method == "HEAD":
            await send_head(send, reply.value, reply.headers)
        elif self._procedure.stream:

            def failed(error: Exception) -> dict[str, Any]:
                refusal = told(exchange, error)
                return failure(refusal, self._envelope(refusal, exchange))

            chunks = frames(reply.value, self._output.write, failed)
            await send_frames(receive, send, chunks, reply.headers, heartbeat_s=self._heartbeat_s)
        elif reply.value is None:
            await send_empty(send, self._procedure.status, reply.headers)
        else:
            body = self._output.write(reply.value)
            head = exchange.method == "HEAD"
            await send_bytes(send, self._procedure.status, body, reply.headers, head=head, pretty=exchange.pretty)


def paths(endpoints: Iterable[Endpoint]) -> dict[str, dict[str, ASGIApp]]:
    """Return the endpoints by path and method: POST for all, GET for those that only read."""
    found: dict[str, dict[str, ASGIApp]] = {}
    for endpoint in endpoints:
        methods = ("GET", "POST") if endpoint.procedure.method == "GET" else ("POST",)
        found[path_of(endpoint.procedure)] = dict.fromkeys(methods, endpoint)
    return found


def path_of(procedure: Procedure) -> str:
    """Return where a procedure is called: /api/rpc/products/list for products.list."""
    return f"{PREFIX}/{procedure.id.replace('.', '/')}"
