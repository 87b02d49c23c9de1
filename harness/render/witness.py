"""A witness as it stands in report.html: who sent what and what came, long bodies folded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.render.text import clipped, shown_body

if TYPE_CHECKING:
    from harness.exchange import Exchange, Headers

TEXT_LIMIT = 4_000
HEADER_LIMIT = 500
LINES_OPEN = 20
LINES_SPARE = 5


@dataclass(frozen=True, slots=True)
class Body:
    """A body as it stands in the page: its first lines, the rest, which is folded, and what is to be said of it."""

    text: str
    note: str
    rest: str = ""
    rest_lines: int = 0


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness as it stands in the page."""

    heading: str
    facts: str
    request_line: str
    request_headers: Headers
    request_body: Body
    answered: bool
    status_line: str
    response_headers: Headers
    response_body: Body
    error: str


def shown(exchange: Exchange, limit: int) -> Witness:
    """An exchange as the page shows it, of each body about `limit` characters."""
    request, response = exchange.request, exchange.response
    path = request.path + (f"?{'&'.join('='.join(pair) for pair in request.query)}" if request.query else "")
    took_ms = (exchange.done_ns - exchange.sent_ns) / 1e6
    together = f" · released together as group {exchange.group}" if exchange.group else ""
    return Witness(
        heading=f"{request.step or request.method} · {request.identity.name} · {exchange.status or 'no answer'}",
        facts=f"{exchange.id} · {took_ms:.1f} ms{together}",
        request_line=f"{request.method} {clipped(path, TEXT_LIMIT)}",
        request_headers=_headers(request.headers),
        request_body=_body(request.body, limit),
        answered=response is not None,
        status_line=str(exchange.status),
        response_headers=_headers(response.headers) if response else (),
        response_body=_body(response.body if response else None, limit),
        error=exchange.error or "the connection ended",
    )


def _headers(headers: Headers) -> Headers:
    return tuple((name, clipped(value, HEADER_LIMIT)) for name, value in headers)


def _body(body: bytes | None, limit: int) -> Body:
    """The body with what is beyond 20 lines set apart, where that is more than a few."""
    text, note = shown_body(body, limit)
    lines = text.split("\n")
    if len(lines) <= LINES_OPEN + LINES_SPARE:
        return Body(text, note)
    return Body("\n".join(lines[:LINES_OPEN]), note, "\n".join(lines[LINES_OPEN:]), len(lines) - LINES_OPEN)
