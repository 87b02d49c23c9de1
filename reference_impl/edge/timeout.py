"""Bounds the wait for a body, and then for an answer to begin; work that takes longer is cancelled and rolled back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reference_impl.edge.exchange import of
from reference_impl.errors import ApiError, late

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reference_impl.settings import Settings


# A body that came so soon costs the work no time worth setting a deadline anew.
_SOON_S = 0.01


class Timeout:
    """Bounds two waits by the seconds of the settings: REQUEST_TIMEOUT after the one for the body, then TIMEOUT.

    An answer that has begun, such as a stream, is not bounded. A commit that is on its way is waited for, and answered
    if nothing else was to follow: the next verb of the request's database is cancelled.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._timeout_s = settings.edge.timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        deadline = asyncio.timeout(self._timeout_s)
        body = _Body(receive, deadline, self._timeout_s)

        async def send_begun(message: Message) -> None:
            if message["type"] == "http.response.start" and not deadline.expired():
                deadline.reschedule(None)
            await send(message)

        try:
            async with deadline:
                await self._app(scope, body.receive, send_begun)
        except TimeoutError as error:
            if not deadline.expired():
                raise
            if body.coming:
                raise late(self._timeout_s) from error
            writes = of(scope).writes
            kept = (
                "some of it is kept: read it again" if writes is not None and writes.kept else "nothing of it is kept"
            )
            raise ApiError("TIMEOUT", f"Not done within {self._timeout_s:g} s; {kept}.") from error


class _Body:
    """A request's body as it comes; once it is there the deadline is set anew: the work need not pay for the wait."""

    def __init__(self, receive: Receive, deadline: asyncio.Timeout, timeout_s: float) -> None:
        self._receive = receive
        self._deadline = deadline
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self._whole = False
        self.coming = False

    async def receive(self) -> Message:
        """Return what comes next."""
        if self._whole:
            return await self._receive()
        self.coming = True
        message = await self._receive()
        if not message.get("more_body", False):
            self.coming, self._whole = False, True
            now_s = self._loop.time()
            late = now_s - self._began_s > _SOON_S
            if late and self._deadline.when() is not None and not self._deadline.expired():
                self._deadline.reschedule(now_s + self._timeout_s)
        return message
