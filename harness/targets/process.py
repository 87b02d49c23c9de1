"""A target that is started for the run: the command of harness.toml, on a free loopback port, with data of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from harness.child import Child
from harness.config import filled
from harness.errors import TargetError
from harness.targets.target import reachable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PREPARE_TIMEOUT_S = 60.0
START_TIMEOUT_S = 30.0
POLL_S = 0.05
TAIL_LINES = 12
OK = 200


class ProcessTarget:
    """Starts `[target.process]`.

    `{python}`, `{port}` and `{data}` (a fresh temporary folder) are filled in; `{secret}` draws a secret, and
    `{secret:NAME}` draws one that identities can name as `{env:NAME}`. `command` may be given to start another
    command with the same preparation and environment.
    """

    kind = "process"

    def __init__(self, told: Mapping[str, Any], folder: Path, *, command: Sequence[str] | None = None) -> None:
        self.told, self.folder = told, folder
        self.command = list(command or told["command"])
        self._url = ""
        self._child: Child | None = None
        self._data: Path | None = None
        self._drawn: dict[str, str] = {}
        self._secrets: list[str] = []
        self._hidden: list[str] = []

    @property
    def url(self) -> str:
        """The address that it answers at; empty before it is entered."""
        return self._url

    @property
    def drawn(self) -> Mapping[str, str]:
        """The secrets drawn for this process that identities can name."""
        return dict(self._drawn)

    @property
    def environment(self) -> Mapping[str, str]:
        """The caller's environment and the secrets drawn for this process."""
        return {**os.environ, **self._drawn}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
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

    def _start(self) -> None:
        self._data = Path(tempfile.mkdtemp(prefix="harness-target-"))
        port = free_port()
        values = {"python": sys.executable, "port": str(port), "data": str(self._data), "folder": str(self.folder)}
        environment = {**os.environ, **self._environment(values)}
        log = self._data / "target.log"
        for command in self.told.get("prepare", ()):
            self._prepare(filled(list(command), values, environment), environment, log)
        with log.open("wb") as output:
            command = filled(self.command, values, environment)
            self._child = Child(command, environment=environment, output=output, folder=self.folder)
        self._url = f"http://127.0.0.1:{port}"
        self._wait_healthy(log)

    def _environment(self, values: Mapping[str, str]) -> dict[str, str]:
        made = {}
        for name, template in self.told.get("environment", {}).items():
            text = template
            while "{secret" in text:
                start = text.index("{secret")
                end = text.index("}", start)
                label = text[start + 1 : end].removeprefix("secret").removeprefix(":")
                secret = self._drawn.get(label) or f"{secrets.token_urlsafe(24)}-Aa1"
                self._hidden.append(secret)
                self._secrets.append(secret)
                if label:
                    self._drawn[label] = secret
                text = text[:start] + secret + text[end + 1 :]
            made[name] = filled(text, values, os.environ)
        return {**made, **self._drawn}

    def _prepare(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        with (
            log.open("wb") as output,
            Child(command, environment=environment, output=output, folder=self.folder) as child,
        ):
            code = child.wait(PREPARE_TIMEOUT_S)
        if code != 0:
            ended = f"did not end within {PREPARE_TIMEOUT_S:g} s" if code is None else f"ended with {code}"
            shown = self._shown(" ".join(command).encode())
            raise TargetError(f"target.process.prepare {shown!r} {ended}:\n{self._tail(log)}")

    def _wait_healthy(self, log: Path) -> None:
        timeout_s = float(self.told.get("start_timeout_s", START_TIMEOUT_S))
        deadline = time.monotonic() + timeout_s
        path, last = self.told.get("health", "/"), "no answer"
        while time.monotonic() < deadline:
            if not self.alive():
                code = self._child.poll() if self._child else None
                raise TargetError(f"the target's process ended with {code} before it was healthy:\n{self._tail(log)}")
            try:
                status = reachable(self._url, path).status
            except TargetError as error:
                last = str(error)
            else:
                if status == OK or "health" not in self.told:
                    return
                last = f"{path} answers {status}"
            time.sleep(POLL_S)
        raise TargetError(f"the target is not healthy after {timeout_s:g} s: {last}\n{self._tail(log)}")

    def _tail(self, log: Path) -> str:
        return self._shown(log.read_bytes())

    def _shown(self, output: bytes) -> str:
        """The last lines of a process' output, without the secrets drawn for it."""
        text = "\n".join(output.decode("utf-8", "replace").splitlines()[-TAIL_LINES:])
        for value in self._hidden:
            text = text.replace(value, "[masked]")
        return text


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
