"""Clients of event streams, spoken to in ASGI."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reference_impl.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.data.database import Database
    from tests.unit.reference_impl.conftest import Account, Shop

LIMIT_S = 20.0


@dataclass
class Reader:
    """A client of one stream, spoken to in ASGI: the frames that came, and its way to leave."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    raw: str = ""
    ended: bool = False
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    async def receive(self) -> dict[str, Any]:
        """What the client says: in the end that it leaves."""
        await self.leaving.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        """Take what the server says."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.raw += message["body"].decode()
            self.ended = not message.get("more_body", False)
        self.news.set()

    @property
    def frames(self) -> list[dict[str, str]]:
        """The fields of each frame that is whole, comments left out."""
        whole = self.raw.split("\n\n")[:-1]
        return [dict(line.split(": ", 1) for line in one.splitlines() if not line.startswith(":")) for one in whole]

    @property
    def position(self) -> int:
        """The last id, by which a client goes on."""
        return max(int(members["id"]) for members in self.frames if "id" in members)

    @property
    def events(self) -> list[tuple[int, str, dict[str, Any]]]:
        """Id, name and data of each event."""
        told = [members for members in self.frames if "data" in members]
        return [(int(members["id"]), members["event"], json.loads(members["data"])) for members in told]

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                self.news.clear()
                await self.news.wait()


@dataclass
class Stalled(Reader):
    """A client that takes an answer's start and so many messages more, and then nothing."""

    takes: int = 2

    async def send(self, message: dict[str, Any]) -> None:
        """Take what the server says, or let it wait for ever."""
        if self.status:
            if not self.takes:
                await asyncio.get_running_loop().create_future()
            self.takes -= 1
        await super().send(message)


def read(
    shop: Shop, path: str, by: Account | None = None, reader: Reader | None = None, verb: str = "GET", **headers: str
) -> Reader:
    """Open a stream; it has begun when this returns."""
    if by is not None:
        headers["authorization"] = f"Bearer {by.token}"
    target, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": verb,
        "path": target if target.startswith("/api/") else f"/api/v1{target}",
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()],
        "scheme": "http",
        "client": ("127.0.0.1", 1),
    }

    told = reader or Reader()

    async def run() -> Reader:
        told.task = asyncio.create_task(shop.application(scope, told.receive, told.send))  # type: ignore[arg-type]  # ASGI's own types are looser
        await told.until(lambda: told.ended or any("id" in members for members in told.frames))
        return told

    return shop.runner.run(run())


def leave(shop: Shop, *readers: Reader) -> None:
    """Let clients go."""

    async def run() -> None:
        for reader in readers:
            reader.leaving.set()
            assert reader.task is not None
            await reader.task

    shop.runner.run(run())


def wait(shop: Shop, reader: Reader, count: int) -> list[tuple[str, str]]:
    """Wait for so many events and return name and id of what each is about."""
    shop.runner.run(reader.until(lambda: len(reader.events) >= count))
    return [(name, data["id"]) for _, name, data in reader.events]


def database_of(shop: Shop) -> Database:
    """The rows of the tenant alpha, whose events are told."""
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert database is not None
    return shop.application.services.feeds.announcing("alpha", database)


def expire(shop: Shop, user: Account) -> None:
    """Let a user's sessions be over by the clock, which no event tells."""
    past = rfc3339(time.time() - 1)
    writing = database_of(shop).run("UPDATE sessions SET expires_at = ? WHERE user_id = ?", past, user.id)
    shop.runner.run(writing)
