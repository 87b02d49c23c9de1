"""The connection to Redis: names, scripts, and one bound on everything that is asked of it."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import OutOfMemoryError, RedisError

from reference_impl import errors
from reference_impl.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from redis.asyncio.connection import AbstractConnection

_FOLDER = Path(__file__).parent
_FULL_AGAIN_S = 60.0
_log = logging.getLogger("reference_impl.stores")


def unavailable() -> ApiError:
    """Return what a client is told while Redis does not answer."""
    return errors.unavailable("The shared store does not answer.")


class Server:
    """One pool a process. What is not answered within `timeout_s`, waiting for a connection included, is UNAVAILABLE.

    Nothing is sent twice: a command that was not answered may have had its effect.
    """

    def __init__(self, url: str, prefix: str, timeout_s: float, connections: int = 32) -> None:
        self.prefix = prefix
        self._timeout_s = timeout_s
        self.epoch = f"{prefix}:cache:epoch"
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            redis_connect_func=self._greet,
        )
        self.client: Redis = Redis.from_pool(self._pool)
        texts = scripts()
        self._epoch_script = texts.pop("epoch")
        self._scripts = {name: self.client.register_script(text) for name, text in texts.items()}
        self._lost = False
        self._full_told_s = -_FULL_AGAIN_S

    def name(self, kind: str, parts: Sequence[str]) -> str:
        """Return the name of a key; no two parts make the same one."""
        return f"{self.prefix}:{kind}:" + ":".join(quote(part, safe="") for part in parts)

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """Run a script; UNAVAILABLE when it is not answered in time."""
        return await self._bounded(self._scripts[script](keys=keys, args=arguments))

    async def call(self, *command: str | bytes | int) -> Any:
        """Send one command; UNAVAILABLE when it is not answered in time."""
        return await self._bounded(self.client.execute_command(*command))  # type: ignore[no-untyped-call]  # it is in redis-py

    async def answers(self) -> bool:
        """Say whether Redis answers now."""
        try:
            await self.call("PING")
        except ApiError:
            return False
        return True

    async def close(self) -> None:
        """Close every connection."""
        await self.client.aclose()
        await self._pool.aclose()

    async def _bounded(self, sent: Awaitable[Any]) -> Any:
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await sent
        except OutOfMemoryError as error:
            self._tell_full()
            raise unavailable() from error
        except (RedisError, OSError, TimeoutError) as error:
            self._tell(lost=True, why=type(error).__name__)
            raise unavailable() from error
        self._tell(lost=False, why="it answers")
        return answer

    def _tell(self, *, lost: bool, why: str) -> None:
        if lost != self._lost:
            self._lost = lost
            _log.warning("Redis is %s: %s", "lost" if lost else "back", why)

    def _tell_full(self) -> None:
        """Tell it now and then: what has to be kept is kept on, so that each list's refusal is no news."""
        now_s = time.monotonic()
        if now_s - self._full_told_s >= _FULL_AGAIN_S:
            self._full_told_s = now_s
            _log.warning("Redis's memory is full: lists are not cached; raise its maxmemory")

    async def _greet(self, connection: AbstractConnection) -> None:
        """Write the server's run into the cache's epoch before a new connection is used.

        A Redis that was started anew may have forgotten a change: nothing cached in an earlier run counts.
        """
        await connection.on_connect()
        await connection.send_command("INFO", "server")
        told = await connection.read_response()
        run_id = bytes(told).partition(b"run_id:")[2].partition(b"\r\n")[0]
        await connection.send_command("EVAL", self._epoch_script, 1, self.epoch, run_id)
        await connection.read_response()


def scripts() -> dict[str, str]:
    """Return the Lua files by name; those of the cache begin with what they share."""
    shared = (_FOLDER / "entry.lua").read_text(encoding="utf-8")
    texts = {path.stem: path.read_text(encoding="utf-8") for path in _FOLDER.glob("*.lua") if path.stem != "entry"}
    return {name: shared + text if "entry." in text else text for name, text in texts.items()}
