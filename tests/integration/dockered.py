"""The command of Docker, for tests that look at what is there."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def answers() -> bool:
    """Whether a Docker daemon answers here."""
    found = shutil.which("docker")
    asked = subprocess.run([found, "version"], capture_output=True, check=False, timeout=10) if found else None
    return asked is not None and asked.returncode == 0


def docker(*words: str) -> list[str]:
    """The lines that a command of Docker's prints; its errors are part of what a failing test shows."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)  # noqa: S607 - the one of PATH
    assert done.returncode == 0, f"docker {' '.join(words[:3])} ended with {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout.splitlines()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Surrounds what changes the daemon's images, or tells that they are as before: one test at a time."""
    with (Path(tempfile.gettempdir()) / "harness-test-containers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
