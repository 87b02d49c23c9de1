"""The reference API as processes of a test's own, on one port over all their lives."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
ADMIN = "admin@example.test"
PASSWORD = "correct horse battery"
ENDING_S = 30.0
_STARTING_S = 60.0
_NEVER_MET = {
    f"API_QUOTA_{kind}": "1000000"
    for kind in ("LIST", "GET", "CREATE", "UPDATE", "DELETE", "UPLOAD", "STREAM", "REGISTER", "LOGIN", "REFRESH")
}


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Api:
    """One installation: its data, its settings, and the processes that serve it while they run."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "api.log"
        own = {name: value for name, value in os.environ.items() if not name.startswith(("API_", "COV_"))}
        self.environment = {
            **own,
            **_NEVER_MET,
            "PYTHONPATH": str(ROOT),
            "API_PROFILE": "verify",
            "API_GLOBAL_QUOTA": "1000000",
            "API_DATA": str(folder / "data"),
            "API_TOKEN_KEY": "k" * 40,
            "ADMIN_PASSWORD": PASSWORD,
            **environment,
        }
        self.words: tuple[str, ...] = ()
        self.process: subprocess.Popen[bytes] | None = None

    def set_up(self, *tenants: str) -> None:
        """Make tenants with an admin in each."""
        done = self.command("set-up", "--tenants", ",".join(tenants), "--admin-email", ADMIN)
        assert done.returncode == 0, done.stderr

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the API to its end."""
        return subprocess.run(
            [sys.executable, "-m", "reference_impl", *words],
            env=self.environment,
            capture_output=True,
            check=False,
            text=True,
            timeout=_STARTING_S,
        )

    def start(self, *words: str) -> None:
        """Serve, and wait until the port answers."""
        command = [sys.executable, "-m", "reference_impl", "serve", "--port", str(self.port), *words]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        deadline = time.monotonic() + _STARTING_S
        while not self._healthy():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)
        if "--workers" in words:  # one answers while another still starts; a new connection may be either's
            assert all(self._healthy() for _ in range(20)), self.log()

    def workers(self) -> list[int]:
        """The children of the process, by id."""
        assert self.process is not None
        parent = self.process.pid
        text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        return [int(word) for word in text.split()]

    def worker_of(self, port: int) -> int:
        """The worker that holds the connection from a port of the loopback."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        ends = (f":{self.port:04X}", f":{port:04X}")
        (held,) = [row[9] for row in rows if row[1].endswith(ends[0]) and row[2].endswith(ends[1])]
        for worker in self.workers():
            for entry in Path(f"/proc/{worker}/fd").iterdir():
                with contextlib.suppress(OSError):  # closed meanwhile
                    if str(entry.readlink()) == f"socket:[{held}]":
                        return worker
        raise AssertionError(port)

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def ended(self) -> int:
        """Wait for the end of the process and return its exit code."""
        assert self.process is not None
        return self.process.wait(ENDING_S)

    def stop(self) -> None:
        """End it, whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            children = self.workers()
            self.process.kill()
            self.process.wait()
            for child in children:
                _gone(child)

    def log(self) -> str:
        """What the processes wrote."""
        return self._log.read_text("utf-8", "replace")

    def lines(self) -> Iterator[dict[str, Any]]:
        """The lines of JSON among it."""
        for line in self.log().splitlines():
            if line.startswith("{"):
                yield json.loads(line)

    def _healthy(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=20) as probe:
                probe.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                return b" 200 " in probe.recv(64)
        except OSError:
            return False


def _gone(process: int) -> None:
    """Wait until a worker has noticed that its parent is gone; kill it where it does not."""
    deadline = time.monotonic() + ENDING_S
    while Path(f"/proc/{process}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    if Path(f"/proc/{process}").exists():
        os.kill(process, signal.SIGKILL)
