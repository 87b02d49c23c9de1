"""Serves on one port: in this process, or in several workers."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from typing import TYPE_CHECKING

import msgspec

from reference_impl.listeners import bind
from reference_impl.observation.metrics import share
from reference_impl.server import serve as serve_one
from reference_impl.workers import Workers

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from reference_impl.server import Served


def serve(make: Callable[[], Served], host: str, port: int, workers: int = 1) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code; each process makes its own application."""
    try:
        listeners = bind(host, port, workers)
    except OSError as error:
        sys.exit(f"{host}:{port} cannot be bound: {error.strerror}. Choose another port.")
    bound = listeners[0].getsockname()[1]
    sys.stdout.write(msgspec.json.encode({"event": "listening", "host": host, "port": bound}).decode() + "\n")
    sys.stdout.flush()
    if workers == 1:
        serve_one(make(), listeners[0])
        return 0

    def work(listener: socket.socket, watched: int) -> None:
        serve_one(make(), listener, watched)

    parent, folder = os.getpid(), tempfile.mkdtemp(prefix="metrics-")
    share(folder)
    try:
        return Workers(listeners, work).run()
    finally:
        if os.getpid() == parent:
            shutil.rmtree(folder, ignore_errors=True)
