"""What the log tells: a JSON line a request, and unexpected errors with their trace, both on standard error."""

from __future__ import annotations

import sys
import time
import traceback
from typing import TYPE_CHECKING

import msgspec

from reference_impl.clock import rfc3339

if TYPE_CHECKING:
    from reference_impl.edge.exchange import Exchange

encode = msgspec.json.Encoder().encode


def log(exchange: Exchange) -> None:
    """Write the request's line: no query, no header, no body, so no secret."""
    write(
        {
            "at": rfc3339(time.time()),
            "requestId": exchange.request_id,
            "tenant": exchange.tenant,
            "user": exchange.user_id,
            "method": exchange.method,
            "route": exchange.route,
            "status": exchange.status,
            "durationMs": exchange.duration_ms(),
        }
    )


def report(exchange: Exchange, error: Exception) -> None:
    """Write an unexpected error with its trace."""
    trace = "".join(traceback.format_exception(error))
    write({"at": rfc3339(time.time()), "requestId": exchange.request_id, "level": "error", "trace": trace})


def write(line: dict[str, object]) -> None:
    """Write one line whole, so that lines of several threads do not mix."""
    sys.stderr.write(encode(line).decode() + "\n")
