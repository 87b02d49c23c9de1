"""A Redis of a test's own: Debian's binary on a free port, its data in a temporary folder."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
