"""Sends JSON answers and error envelopes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from reference_impl.edge.exchange import Exchange
from reference_impl.errors import ApiError
from reference_impl.price import Price

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Send

Render = Callable[[ApiError, Exchange], Any]

_JSON = (b"content-type", b"application/json")


def _encode_unknown(value: Any) -> Any:
    if isinstance(value, Price):
        return value.decimal()
    raise NotImplementedError(type(value))


_encoder = msgspec.json.Encoder(enc_hook=_encode_unknown, decimal_format="number")
encode = _encoder.encode


def envelope(error: ApiError, exchange: Exchange) -> Any:
    """Return the body of an error response."""
    return error.envelope(exchange.request_id)


async def send_bytes(
    send: Send,
    status: int,
    body: bytes,
    headers: Iterable[tuple[bytes, bytes]] = (),
    *,
    head: bool = False,
    pretty: bool = False,
) -> None:
    """Send a JSON body, indented when `pretty`; `head` sends its length and not its bytes."""
    if pretty:
        body = msgspec.json.format(body, indent=2)
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [_JSON, (b"content-length", str(len(body)).encode()), *headers],
        }
    )
    await send({"type": "http.response.body", "body": b"" if head else body})


async def send_empty(send: Send, status: int, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Send a response that has no body."""
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": b""})
