"""Serves one procedure: guard, limit, read, call, answer. How to read and how to answer is the transport's."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from reference_impl.contract.procedure import Call, Procedure, Reply, Services
from reference_impl.edge.exchange import Exchange, of
from reference_impl.edge.global_limit import spent
from reference_impl.edge.list_cache import ListCache, key_of
from reference_impl.stores.limits import Decision, Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from reference_impl.errors import ApiError
    from reference_impl.stores.cache import Key


def procedure_rule(procedure: Procedure, services: Services) -> Rule:
    """Return the limit of one procedure as the settings have it; all transports count against it."""
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


@dataclass(frozen=True, slots=True)
class Input:
    """What a request says to a procedure, checked against its types."""

    path: dict[str, str]
    query: Any = None
    body: Any = None


class Transport(Protocol):
    """How the calls of one procedure are written on the wire."""

    async def read(self, scope: Scope, receive: Receive) -> Input:
        """Return what a request says; ApiError when it does not fit the procedure's types."""
        ...

    async def answer(self, scope: Scope, receive: Receive, send: Send, reply: Reply) -> None:
        """Send what the procedure replied."""
        ...


class Endpoint:
    """One procedure over one transport."""

    def __init__(
        self,
        procedure: Procedure,
        services: Services,
        transport: Transport,
        limit_headers: Callable[[Decision], list[tuple[bytes, bytes]]] = limit_headers,
        refuse: Callable[[Decision], ApiError] = refuse,
        list_key: Callable[[Procedure, Call[Any, Any]], Key] = key_of,
    ) -> None:
        self.procedure = procedure
        self._services = services
        self._transport = transport
        self._lists = ListCache(services, list_key)
        self._rule = procedure_rule(procedure, services)
        self._limit_headers = limit_headers
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        exchange = of(scope)
        await self._admit(exchange)
        told = await self._transport.read(scope, receive)
        assert exchange.database is not None, "Tenancy opens a database for every /api/ path"
        database = self._services.feeds.announcing(exchange.tenant, exchange.database)
        exchange.writes = database
        call: Call[Any, Any] = Call(
            body=told.body,
            query=told.query,
            path=told.path,
            headers=exchange.headers,
            caller=exchange.caller,
            database=database,
            services=self._services,
            tenant=exchange.tenant,
            address=exchange.address,
            base=exchange.base,
            secure=exchange.secure,
        )

        async def handled(call: Call[Any, Any]) -> Reply:
            try:
                return await self.procedure.handler(call)
            finally:
                database.over()

        reply = await self._lists.run(self.procedure, call, handled)
        await self._transport.answer(scope, receive, send, reply)

    async def _admit(self, exchange: Exchange) -> None:
        self.procedure.access.admit(exchange.caller, writes=self.procedure.method != "GET")
        decision = await self._services.limits.take(exchange.key(), self._rule)
        exchange.response_headers += self._limit_headers(decision)
        if not decision.allowed:
            raise self._refuse(decision)
