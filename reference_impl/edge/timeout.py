"""Bounds the time until an answer begins: then the work is cancelled, which rolls its transaction back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reference_impl.errors import ApiError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reference_impl.settings import Settings


class Timeout:
    """TIMEOUT after the seconds of the settings; an answer that has begun, such as a stream, is not bounded."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._timeout_s = settings.edge.timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        deadline = asyncio.timeout(self._timeout_s)

        async def send_begun(message: Message) -> None:
            if message["type"] == "http.response.start" and not deadline.expired():
                deadline.reschedule(None)
            await send(message)

        try:
            async with deadline:
                await self._app(scope, receive, send_begun)
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise ApiError("TIMEOUT", f"Not done within {self._timeout_s:g} s; nothing of it was kept.") from error
