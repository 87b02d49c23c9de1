"""The outermost layer: request id, security headers, the error envelope, and who is told of it when it is over.

Every response passes here, so each carries the same headers whatever became of the request.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uuid_utils

from reference_impl.data.database import DatabaseError
from reference_impl.edge.answers import encode, send_bytes
from reference_impl.edge.exchange import Exchange
from reference_impl.errors import ApiError, unavailable
from reference_impl.identity.addresses import client_address, plain, trusted

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reference_impl.edge.answers import Render
    from reference_impl.settings.reader import Network

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
_UNKNOWN = ", and it is not known whether the change is kept: read it again"
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


@dataclass(frozen=True, slots=True)
class Watchers:
    """Who is told of each request when it is over, and of each error that nobody expected; none of them waits."""

    finished: tuple[Callable[[Exchange], None], ...] = ()
    failed: tuple[Callable[[Exchange, Exception], None], ...] = ()


@dataclass(frozen=True, slots=True)
class Front:
    """What the outermost layer knows of what stands before it and behind it."""

    proxies: tuple[Network, ...] = ()
    """Whose word on the client's address and scheme counts."""
    named: Callable[[str], str] = lambda _path: ""
    """Returns the template of a path, by which a request is told that was refused before it was routed."""
    address: Callable[[str, str | None, tuple[Network, ...]], str] = client_address
    """Returns the client's address by the peer's, X-Forwarded-For and whose word on it counts."""


class Outer:
    """Wraps the application; `render` makes the body of an error, `watchers` are told how it went."""

    def __init__(self, app: ASGIApp, render: Render, watchers: Watchers, front: Front | None = None) -> None:
        self._app = app
        self._render = render
        self._watchers = watchers
        self._front = front or Front()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = scope["exchange"] = self._open(scope)

        async def send_dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                message["headers"] = [*message["headers"], *exchange.response_headers, *self._dress(exchange)]
            await send(message)

        try:
            await self._app(scope, receive, send_dressed)
        except Exception as error:  # noqa: BLE001 - logged whole; the client gets the envelope and nothing else
            exchange.route = exchange.route or self._front.named(exchange.path)
            await self._answer(exchange, told(exchange, error), send_dressed)
        finally:
            self._over(exchange)

    def _open(self, scope: Scope) -> Exchange:
        return open_exchange(scope, self._front)

    def _dress(self, exchange: Exchange) -> list[tuple[bytes, bytes]]:
        return dress(exchange)

    def _over(self, exchange: Exchange) -> None:
        exchange.over = True
        if exchange.fault is not None:
            for report in self._watchers.failed:
                report(exchange, exchange.fault)
        for tell in self._watchers.finished:
            tell(exchange)

    async def _answer(self, exchange: Exchange, error: ApiError, send: Send) -> None:
        if exchange.status:
            exchange.fault = exchange.fault or error
            raise RuntimeError("The response had begun when its request failed.") from exchange.fault
        body = encode(self._render(error, exchange))
        head = exchange.method == "HEAD"
        await send_bytes(send, error.status, body, error.headers, head=head, pretty=exchange.pretty)


def open_exchange(scope: Scope, front: Front) -> Exchange:
    """Read what the layers need of the request once; what proxies say counts from trusted ones only."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1")
        value = raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    told = headers.get("x-request-id", "")
    client = scope.get("client")
    peer = plain(client[0]) if client else ""
    by_https = headers.get("x-forwarded-proto") == "https" and trusted(peer, front.proxies)
    return Exchange(
        request_id=told if _REQUEST_ID.fullmatch(told) else str(uuid_utils.uuid7()),
        method=scope["method"],
        headers=headers,
        peer=peer,
        address=front.address(peer, headers.get("x-forwarded-for"), front.proxies),
        secure=scope["scheme"] == "https" or by_https,
        started_s=time.perf_counter(),
        path=scope["path"],
    )


def dress(exchange: Exchange) -> list[tuple[bytes, bytes]]:
    """Return the headers every response carries."""
    headers = [(b"x-request-id", exchange.request_id.encode()), *SECURITY]
    headers.append((b"content-security-policy", exchange.policy))
    if exchange.secure:
        headers.append(_HSTS)
    return headers


def told(exchange: Exchange, error: Exception) -> ApiError:
    """Return what a client is told about any error; what no procedure expected is kept for the watchers."""
    if isinstance(error, ApiError):
        return error
    exchange.fault = error
    if isinstance(error, DatabaseError):
        return refusal(error)
    return ApiError("INTERNAL_ERROR", "The server failed; the request id finds it in the log.")


def refusal(error: DatabaseError) -> ApiError:
    """Return what a client is told about a database error that no procedure expected."""
    match error.category:
        case "unique":
            return ApiError("CONFLICT", "It exists already.")
        case "foreign":
            return ApiError("INVALID_REFERENCE", "It names something that is not there.")
        case "check":
            return ApiError("VALIDATION_ERROR", "The database refuses a value.")
        case "timeout":
            return ApiError("TIMEOUT", f"The database took too long{_UNKNOWN if error.unknown else ''}.")
        case "conflict":
            return unavailable("Others change the same: try again.")
        case _:
            return unavailable(f"The database does not answer{_UNKNOWN if error.unknown else ''}.")
