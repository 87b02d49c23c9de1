"""What holds for a request on every path: the size its body may have, the room for uploads, and `?pretty`."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from reference_impl.edge import pretty
from reference_impl.edge.exchange import Exchange, of
from reference_impl.edge.multipart import FRAME_BYTES
from reference_impl.errors import ApiError, not_found, unavailable

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reference_impl.settings import Settings

_LENGTH = re.compile(r"[0-9]{1,18}")
# Files are held whole: so many of the largest, or as many more as are smaller, have room in a process at once.
UPLOADS = 25


class Intake:
    """Refuses by what the head of a request says, before its body is read."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._body_limit_bytes = settings.edge.body_limit_bytes
        self._upload_limit_bytes = settings.edge.upload_limit_bytes + FRAME_BYTES
        self._room_bytes = UPLOADS * self._upload_limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http":
            exchange = of(scope)
            if (length := exchange.headers.get("content-length")) is not None:
                self._refuse_large(exchange, length)
            # PostgreSQL cannot compare with U+0000, so nothing is called so.
            if "\0" in exchange.path:
                raise not_found("path")
            if pretty.NAME in scope["query_string"]:
                scope = pretty.take(scope, exchange)
            if _uploads(exchange):
                await self._hold(int(length) if length is not None else self._upload_limit_bytes, scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _hold(self, held_bytes: int, scope: Scope, receive: Receive, send: Send) -> None:
        """Take room for an upload before any of it is read, until its answer begins; UNAVAILABLE without."""
        if held_bytes > self._room_bytes:
            raise unavailable("Too many uploads at once: send it again.")
        self._room_bytes -= held_bytes
        held = contextlib.ExitStack()
        held.callback(self._free, held_bytes)

        async def send_begun(message: Message) -> None:
            held.close()
            await send(message)

        with held:
            await self._app(scope, receive, send_begun)

    def _free(self, held_bytes: int) -> None:
        self._room_bytes += held_bytes

    def _refuse_large(self, exchange: Exchange, length: str) -> None:
        limit_bytes = self._upload_limit_bytes if _uploads(exchange) else self._body_limit_bytes
        if not _LENGTH.fullmatch(length) or int(length) > limit_bytes:
            raise ApiError("PAYLOAD_TOO_LARGE", f"A body may have {limit_bytes} bytes.")


def _uploads(exchange: Exchange) -> bool:
    return exchange.headers.get("content-type", "").lower().startswith("multipart/form-data")
