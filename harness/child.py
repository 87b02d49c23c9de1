"""A child process that cannot outlive the harness: started behind harness/guard.py, its output in a file or a pipe."""

from __future__ import annotations

import subprocess
import sys
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

STOP_TIMEOUT_S = 15.0


class Child:
    """A command that runs until it ends by itself, `stop` is called, or this process is gone, however it went."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        output: IO[bytes] | int = subprocess.DEVNULL,
        folder: Path | None = None,
    ) -> None:
        self.command = tuple(command)
        self._process = subprocess.Popen(  # noqa: S603 - the command is the user's own
            [sys.executable, "-m", "harness.guard", *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            cwd=folder,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def stdout(self) -> IO[bytes] | None:
        """Where its output can be read, if it was started with a pipe."""
        return self._process.stdout

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.poll()

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code once it has ended; None where it still runs after so long."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """Ends it and everything that it started."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self.wait(STOP_TIMEOUT_S) is None:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
