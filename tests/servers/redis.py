"""A Redis of a test's own: Debian's binary on a free port, its data in a temporary folder."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BINARY = shutil.which("redis-server")
MISSING = "no redis-server on the PATH: install Debian's package redis-server"
_START_S = 10.0


class RedisServer:
    """One server, on one port over all its lives. It writes each change before it answers, so a kill loses none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self, *options: str) -> None:
        """Start it and wait until it answers."""
        assert BINARY, MISSING
        command = [BINARY, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder), "--save", ""]
        with (self._folder / "redis.log").open("ab") as log:
            durable = ["--appendonly", "yes", "--appendfsync", "always"]
            self._process = subprocess.Popen([*command, *durable, *options], stdout=log, stderr=log)
        deadline = time.monotonic() + _START_S
        while not self._answers():
            assert time.monotonic() < deadline, (self._folder / "redis.log").read_text()
            time.sleep(0.005)

    def kill(self) -> None:
        """End it as a power cut of the process does."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def restart(self) -> None:
        """End it by SIGTERM, as a service manager does, and start it with what it had written."""
        self._signal(signal.SIGTERM)
        assert self._process is not None
        self._process.wait(_START_S)
        self.start()

    def pause(self) -> None:
        """Let it accept and never answer."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it, whatever state it is in."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith(b"+PONG")
        return False


def started(folder: Path) -> Iterator[RedisServer]:
    """Yield a running server that is gone afterwards; skipped, with the reason, where Redis is not installed."""
    if BINARY is None:
        pytest.skip(MISSING)
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server for one test, which may kill and pause it."""
    yield from started(tmp_path)
