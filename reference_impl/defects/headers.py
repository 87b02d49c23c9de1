"""Defects of what every answer carries, and of refused methods: A1a, A1b, A3a, A7b, A11a."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reference_impl.defects.defect import EVERY_OPERATION, Defect
from reference_impl.edge.answers import envelope
from reference_impl.edge.global_limit import GlobalLimit, headers
from reference_impl.edge.outer import Outer

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope

    from reference_impl.application import Parts
    from reference_impl.edge.exchange import Exchange
    from reference_impl.errors import ApiError
    from reference_impl.stores.limits import Decision

_FIRST_ERROR = 400


class EchoingOuter(Outer):
    """A1a: a client's own request id is kept as it is; one with a colon, or of a hundred characters, comes back."""

    def _open(self, scope: Scope) -> Exchange:
        exchange = super()._open(scope)
        exchange.request_id = exchange.headers.get("x-request-id") or exchange.request_id
        return exchange


class PlainErrors(Outer):
    """A1b: what dresses answers does not see errors; a 404 has no request id and no header of security."""

    def _dress(self, exchange: Exchange) -> list[tuple[bytes, bytes]]:
        return super()._dress(exchange) if exchange.status < _FIRST_ERROR else []


class ProudOuter(Outer):
    """A3a: the framework's own header was not turned off; each answer says what it is powered by."""

    def _dress(self, exchange: Exchange) -> list[tuple[bytes, bytes]]:
        return [*super()._dress(exchange), (b"x-powered-by", b"Express")]


def frameworks_own(error: ApiError, exchange: Exchange) -> Any:
    """A11a: the router answers a wrong method before the application's own handler of errors; it is no envelope."""
    if error.code == "METHOD_NOT_ALLOWED":
        return {"detail": "Method Not Allowed"}
    return envelope(error, exchange)


class InstantReset(GlobalLimit):
    """A7b: RateLimit-Reset is copied from its older cousin, an instant; it is seconds to go and says billions."""

    def _headers(self, decision: Decision) -> list[tuple[bytes, bytes]]:
        instant = str(decision.reset_epoch(time.time())).encode()
        return [(name, instant if name == b"ratelimit-reset" else value) for name, value in headers(decision)]


def around(outer: type[Outer]) -> Callable[[Parts], Parts]:
    """Return the planting of another outermost layer."""
    return lambda parts: replace(parts, outer=outer)


DEFECTS = (
    Defect(
        id="A1a",
        title="A client's request id is kept whatever it holds",
        codes=("headers.value", "schema.missing-header"),
        operations=EVERY_OPERATION,
        plant=around(EchoingOuter),
    ),
    Defect(
        id="A1b",
        title="Errors carry no request id and no header of security",
        codes=("headers.missing", "schema.missing-header"),
        operations=EVERY_OPERATION,
        plant=around(PlainErrors),
    ),
    Defect(
        id="A3a",
        title="X-Powered-By tells the framework",
        codes=("headers.forbidden",),
        operations=EVERY_OPERATION,
        plant=around(ProudOuter),
    ),
    Defect(
        id="A7b",
        title="RateLimit-Reset is an instant, not seconds to go",
        codes=("rate-limit.headers-untrue",),
        operations=EVERY_OPERATION,
        plant=lambda parts: replace(parts, global_limit=InstantReset),
    ),
    Defect(
        id="A11a",
        title="A wrong method is answered in the router's own shape",
        codes=("envelope.shape", "schema.body", "fuzz.unsupported_method"),
        operations=EVERY_OPERATION,
        plant=lambda parts: replace(parts, envelope=frameworks_own),
    ),
)
