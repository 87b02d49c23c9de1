"""Runs one application under uvicorn on a socket that listens already, until it is told to end."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import time
from typing import TYPE_CHECKING
from typing import Protocol as TypingProtocol

import msgspec
import uvicorn

from reference_impl.clock import rfc3339
from reference_impl.edge.malformed import Protocol
from reference_impl.realtime.wire import SocketProtocol

if TYPE_CHECKING:
    import socket

    from starlette.types import Receive, Scope, Send

GRACE_S = 10
"""How long requests in flight may take to end."""
INTERRUPTED = 130
_GOODBYE_S = 2.0
# Requests in flight have some hundred objects each, and count as new; with Python's 700 every few of them are searched.
_NEW_OBJECTS = 20_000
_LOGGERS = ("uvicorn", "reference_impl", "opentelemetry")


class Served(TypingProtocol):
    """An ASGI application whose streams and sockets can be told that the server ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        ...

    def end_streams(self) -> None:
        """Tell whoever listens that the server ends; called before requests in flight are waited for."""
        ...


class JsonLines(logging.Handler):
    """Writes what the server itself has to say in the form of the request log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        text = record.getMessage()
        if record.exc_info:
            text = f"{text}\n{logging.Formatter().formatException(record.exc_info)}"
        line = {"at": rfc3339(time.time()), "level": record.levelname.lower(), "message": text}
        sys.stderr.write(msgspec.json.encode(line).decode() + "\n")


class Server(uvicorn.Server):
    """uvicorn's server, which ends streams and sockets first and ends when `watched` (a pipe of its parent) does."""

    def __init__(self, application: Served, config: uvicorn.Config, watched: int | None) -> None:
        super().__init__(config)
        self._application = application
        self._watched = watched

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept."""
        await super().startup(sockets)
        # What is there by now stays until the end: no collection looks through it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
        if self._watched is not None:
            asyncio.get_running_loop().add_reader(self._watched, self._orphaned)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, let streams and sockets say goodbye, then wait for the requests in flight."""
        for server in self.servers:
            server.close()
        self._application.end_streams()
        # uvicorn closes a WebSocket with 1012 at once; ours are to say 1001 themselves.
        ends = time.monotonic() + _GOODBYE_S
        while any(not isinstance(one, Protocol) for one in self.server_state.connections):
            if time.monotonic() > ends:
                break
            await asyncio.sleep(0.01)
        await super().shutdown(sockets)

    def _orphaned(self) -> None:
        assert self._watched is not None
        asyncio.get_running_loop().remove_reader(self._watched)
        self.should_exit = True


def serve(application: Served, listener: socket.socket, watched: int | None = None) -> None:
    """Serve until SIGTERM (exit 0), SIGINT (exit 130) or the end of `watched`; requests in flight are finished."""
    handler = JsonLines(logging.WARNING)
    for name in _LOGGERS:
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).propagate = False
    # An application that names no size of messages speaks no WebSocket.
    message_limit_bytes: int = getattr(application, "message_limit_bytes", 0)
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http=Protocol,
        ws=SocketProtocol if message_limit_bytes else "none",
        ws_max_size=message_limit_bytes,
        # Silence is judged by messages, which the application sees.
        ws_ping_interval=None,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
        backlog=2048,
    )
    # uvicorn raises the signal again after its shutdown.
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    Server(application, config, watched).run(sockets=[listener])


def _end(number: int, _frame: object) -> None:
    raise SystemExit(0 if number == signal.SIGTERM else INTERRUPTED)
