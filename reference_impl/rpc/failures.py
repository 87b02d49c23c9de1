"""What a failed call answers: oRPC's error whose data are the envelope that every transport has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reference_impl.edge.answers import Render
    from reference_impl.edge.exchange import Exchange
    from reference_impl.errors import ApiError

_PATH = re.compile(r"(?:/t/[^/]+)?/api/rpc(?:/|$)")


def speaks_rpc(path: str) -> bool:
    """Say whether a path, with its tenant or without, is one of this protocol."""
    return _PATH.match(path) is not None


def rendered(envelope: Render) -> Render:
    """Return a rendering of errors that is the protocol's on its own paths, and `envelope` elsewhere."""

    def render(error: ApiError, exchange: Exchange) -> Any:
        data = envelope(error, exchange)
        return failure(error, data) if speaks_rpc(exchange.path) else data

    return render


def failure(error: ApiError, data: Any) -> dict[str, Any]:
    """Return an error as ORPCError is read; every code stands in the catalogue, so each is `defined`."""
    told = {"defined": True, "code": error.code, "status": error.status, "message": error.message, "data": data}
    return {"json": told}
