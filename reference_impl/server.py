"""Runs the application under uvicorn on a socket that is bound first, so that a chosen port can be told."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING

import msgspec
import uvicorn

from reference_impl.clock import rfc3339
from reference_impl.edge.malformed import Protocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class JsonLines(logging.Handler):
    """Writes what the server itself has to say in the form of the request log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        text = record.getMessage()
        if record.exc_info:
            text = f"{text}\n{logging.Formatter().formatException(record.exc_info)}"
        line = {"at": rfc3339(time.time()), "level": record.levelname.lower(), "message": text}
        sys.stderr.write(msgspec.json.encode(line).decode() + "\n")


def _end(_signal: int, _frame: object) -> None:
    raise SystemExit(0)


def serve(application: ASGIApp, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; requests in flight are finished. Port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        sys.exit(f"{host}:{port} cannot be bound: {error.strerror}. Choose another port.")
    listener.listen(2048)
    listener.setblocking(False)  # noqa: FBT003 - positional in the standard library
    bound = listener.getsockname()[1]
    sys.stdout.write(msgspec.json.encode({"event": "listening", "host": host, "port": bound}).decode() + "\n")
    sys.stdout.flush()
    logging.getLogger("uvicorn").addHandler(JsonLines(logging.WARNING))
    logging.getLogger("uvicorn").propagate = False
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
        backlog=2048,
    )
    # uvicorn raises the signal again after its shutdown; an orderly end is exit code 0.
    signal.signal(signal.SIGTERM, _end)
    uvicorn.Server(config).run(sockets=[listener])
