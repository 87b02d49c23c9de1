"""Reads the bytes of a JSON body, bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_impl.errors import ApiError, invalid

if TYPE_CHECKING:
    from starlette.types import Receive


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
    if message["type"] == "http.disconnect":
        raise invalid("body", "it ended early")
    if len(raw) > limit:
        raise ApiError("PAYLOAD_TOO_LARGE", f"A body may have {limit} bytes.")
    return raw
