"""A client of the WebSocket, spoken to in ASGI."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.unit.reference_impl.event_streams import LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.reference_impl.conftest import Account, Shop


@dataclass
class Socket:
    """A client: what it says and what came, spoken on the shop's own loop."""

    shop: Shop
    said: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    came: list[dict[str, Any]] = field(default_factory=list)
    closed: tuple[int, str] | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    takes: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    async def receive(self) -> dict[str, Any]:
        """What the client says next."""
        return await self.said.get()

    async def send(self, message: dict[str, Any]) -> None:
        """Take what the server says, unless the client takes nothing."""
        await self.takes.wait()
        if message["type"] == "websocket.send":
            self.came.append(json.loads(message["text"]))
        elif message["type"] == "websocket.close":
            self.closed = (message["code"], message["reason"])
        self.news.set()

    def say(self, *messages: str | bytes | dict[str, Any]) -> None:
        """Send messages: text, bytes, or an object as JSON."""
        for message in messages:
            kind = "bytes" if isinstance(message, bytes) else "text"
            text = json.dumps(message) if isinstance(message, dict) else message
            self.said.put_nowait({"type": "websocket.receive", kind: text})

    def until(self, condition: Callable[[], Any]) -> None:
        """Wait until something holds."""

        async def wait() -> None:
            async with asyncio.timeout(LIMIT_S):
                while not condition():
                    self.news.clear()
                    await self.news.wait()

        self.shop.runner.run(wait())

    def ask(self, kind: str, **members: Any) -> dict[str, Any]:
        """Send a message and return its direct answer."""
        mark = f"m{time.monotonic_ns()}"
        self.say({"type": kind, "id": mark, **members})
        self.until(lambda: self.closed or any(one.get("replyTo") == mark for one in self.came))
        return next(one for one in self.came if one.get("replyTo") == mark)

    def code(self, kind: str, **members: Any) -> str:
        """Send a message and return the code of its refusal."""
        return str(self.ask(kind, **members)["error"]["code"])

    def others(self, kind: str) -> list[dict[str, Any]]:
        """Every message of a type that is there when a pong has come round."""
        self.ask("ping")
        return [one for one in self.came if one["type"] == kind]

    def leave(self) -> None:
        """Go, and wait until nothing is left of it."""
        self.said.put_nowait({"type": "websocket.disconnect"})
        assert self.task is not None
        self.shop.runner.run(asyncio.wait_for(self.task, LIMIT_S))


def connect(shop: Shop, by: Account | None = None, query: str = "", **headers: str) -> Socket:
    """Open a socket: it has greeted, and who is signed in is in the room `global`, unless it was closed again."""
    if by is not None:
        headers["authorization"] = f"Bearer {by.token}"
    scope = {
        "type": "websocket",
        "path": "/api/v1/ws",
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()],
        "scheme": "ws",
        "client": ("127.0.0.1", 1),
    }
    socket = Socket(shop)
    socket.takes.set()
    socket.said.put_nowait({"type": "websocket.connect"})

    async def run() -> None:
        socket.task = asyncio.create_task(shop.application(scope, socket.receive, socket.send))  # type: ignore[arg-type]  # ASGI's own types are looser

    shop.runner.run(run())
    socket.until(lambda: socket.came)
    if "userId" in socket.came[0]:
        socket.until(lambda: socket.closed or any(one["type"] == "room_joined" for one in socket.came))
    return socket
