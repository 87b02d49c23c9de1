"""A target that is started for the run: the command of harness.toml, on a free loopback port, with data of its own."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.child import Child
from harness.config import filled
from harness.targets.health import wait_healthy
from harness.targets.preparation import prepare
from harness.targets.started import StartedTarget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PREPARE_TIMEOUT_S = 60.0


class ProcessTarget(StartedTarget):
    """Starts `[target.process]`.

    `{python}`, `{port}` and `{data}` (a fresh temporary folder) are filled in; `{secret}` draws a secret, and
    `{secret:NAME}` draws one that identities can name as `{env:NAME}`. `command` may be given to start another
    command with the same preparation and environment.
    """

    kind = "process"

    def __init__(self, told: Mapping[str, Any], folder: Path, *, command: Sequence[str] | None = None) -> None:
        super().__init__(told, folder, command=command)
        self._child: Child | None = None
        self._data: Path | None = None

    def end(self) -> None:
        """Ends the process with all its children and removes its data."""
        if self._child is not None:
            self._child.stop()
            self._child = None
        if self._data is not None:
            shutil.rmtree(self._data, ignore_errors=True)
            self._data = None

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._child is not None and self._child.poll() is None

    def describe(self) -> dict[str, str]:
        """Its kind, its address and the command, placeholders unfilled."""
        return {"kind": self.kind, "url": self._url, "command": " ".join(self.command)}

    def start(self) -> None:
        """Prepares it and starts it; returns once it is healthy."""
        self._data = Path(tempfile.mkdtemp(prefix="harness-target-"))
        port = free_port()
        values = {"python": sys.executable, "port": str(port), "data": str(self._data), "folder": str(self.folder)}
        environment = {**os.environ, **self._environment(values)}
        log = self._data / "target.log"
        for command in self.told.get("prepare", ()):
            prepare(
                filled(list(command), values, environment),
                key="target.process.prepare",
                environment=environment,
                folder=self.folder,
                log=log,
                timeout_s=PREPARE_TIMEOUT_S,
                shown=self._drawn.shown,
            )
        with log.open("wb") as output:
            command = filled(self.command, values, environment)
            self._child = Child(command, environment=environment, output=output, folder=self.folder)
        self._url = f"http://127.0.0.1:{port}"
        wait_healthy(self._url, self.told, self._ended, lambda: self._drawn.shown(log.read_bytes()))

    def _environment(self, values: Mapping[str, str]) -> dict[str, str]:
        told = self.told.get("environment", {})
        made = {name: filled(self._drawn.filled(text), values, os.environ) for name, text in told.items()}
        return {**made, **self._drawn.named}

    def _ended(self) -> str:
        """How the process ended; nothing while it runs."""
        return "" if self.alive() else f"the target's process ended with {self._child.poll() if self._child else None}"


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
