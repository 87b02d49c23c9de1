"""Opens WebSockets: a handshake passes every layer as the GET request it is; one that is answered 101 is a socket."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from reference_impl.contract.procedure import PREFIX
from reference_impl.contract.reading import QueryReader
from reference_impl.edge import forgery
from reference_impl.edge.answers import send_empty
from reference_impl.edge.endpoint import refuse
from reference_impl.edge.exchange import Exchange, of
from reference_impl.errors import ApiError
from reference_impl.realtime import tickets
from reference_impl.realtime.socket import Socket
from reference_impl.realtime.standing import Standing
from reference_impl.stores.limits import Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reference_impl.contract.procedure import Services
    from reference_impl.edge.outer import Watchers
    from reference_impl.realtime.hub import Hubs

PATH = f"{PREFIX}/ws"
_HERE = re.compile(rf"(?:/t/[^/]+)?{PATH}")
# No path: what speaks no WebSocket is not there for a handshake.
_NOWHERE = f"{PATH}/none"
_SWITCHING = 101
_KEY = "upgrade"


class TicketQuery(msgspec.Struct, forbid_unknown_fields=True):
    """What a client that cannot set headers shows."""

    ticket: str | UnsetType = UNSET


@dataclass(slots=True)
class Handshake:
    """One handshake on its way through the layers, and what came of it."""

    send: Send
    socket: Socket | None = None
    leave: Callable[[], object] = lambda: None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    asked: bool = False

    async def receive(self) -> Message:
        """Give the empty body of the request; nothing follows it."""
        if self.asked:
            await asyncio.Event().wait()
        self.asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def answer(self, message: Message) -> None:
        """Pass a refusal on; keep the headers of a 101 for the socket."""
        if message.get("status") == _SWITCHING:
            self.headers = message["headers"]
        elif self.socket is None:
            await self.send({**message, "type": f"websocket.{message['type']}"})


class Upgrade:
    """Stands outside all layers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        await receive()
        handshake = Handshake(send)
        path = scope["path"] if _HERE.fullmatch(scope["path"]) else _NOWHERE
        scheme = "https" if scope["scheme"] == "wss" else "http"
        request = {**scope, "type": "http", "method": "GET", "scheme": scheme, "path": path, _KEY: handshake}
        await self._app(request, handshake.receive, handshake.answer)
        if handshake.socket is None:
            return
        try:
            await send({"type": "websocket.accept", "headers": handshake.headers})
            await handshake.socket.run(receive, send)
        finally:
            handshake.leave()


class SocketEndpoint:
    """Says who may open a socket; 426 to a request that asks for none."""

    def __init__(self, services: Services, hubs: Hubs, watchers: Watchers) -> None:
        self._services = services
        self._hubs = hubs
        self._watchers = watchers
        self._query = QueryReader(TicketQuery)
        limits = services.settings.limits
        self._rule = Rule("sockets.open", limits.quotas.stream, limits.procedure_window_s)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        exchange = of(scope)
        handshake: Handshake | None = scope.get(_KEY)
        if handshake is None:
            headers = ((b"upgrade", b"websocket"), (b"connection", b"Upgrade"))
            raise ApiError("UPGRADE_REQUIRED", "This path speaks WebSocket.", headers=headers)
        await self._identify(exchange, self._query.read(scope["query_string"]))
        decision = await self._services.limits.take(exchange.key(), self._rule)
        if not decision.allowed:
            raise refuse(decision)
        self._hubs.seats.check(exchange.key())
        assert exchange.database is not None, "Tenancy opens a database for every /api/ path"
        hub = self._hubs.of(exchange.tenant, exchange.database)
        handshake.socket = Socket(hub, exchange, self._standing(exchange), self._watchers)
        handshake.leave = self._hubs.seats.take(exchange.key(), handshake.socket)
        await send_empty(send, _SWITCHING)

    async def _identify(self, exchange: Exchange, query: Any) -> None:
        """Take a ticket for an identity; FORBIDDEN for another site's page that sends this one's cookie."""
        settings, database = self._services.settings, exchange.database
        assert database is not None, "Tenancy opens a database for every /api/ path"
        if query.ticket is not UNSET:
            key, limits = settings.identity.token_key, self._services.limits
            exchange.caller = await tickets.redeem(query.ticket, key, exchange.tenant, database, limits)
            return
        by_cookie = exchange.caller is not None and not {"authorization", "x-api-key"} & exchange.headers.keys()
        if by_cookie and not forgery.from_own_site(exchange, settings.edge.cors_origins):
            raise ApiError("FORBIDDEN", "A socket by the session cookie may come from an allowed origin only.")

    def _standing(self, exchange: Exchange) -> Standing | None:
        if exchange.caller is None:
            return None
        assert exchange.database is not None
        settings = self._services.settings
        api_key = (settings.identity.token_key, exchange.headers.get("x-api-key", ""))
        every_s = settings.realtime.heartbeat_s
        return Standing(exchange.database, exchange.tenant, exchange.caller, api_key, every_s)
