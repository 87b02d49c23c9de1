"""Commands as a person starts them, and what they leave: output, exit code, processes, ports, run folders."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
MARK = "HARNESS_TEST_MARK"
TIMEOUT_S = 150.0
GONE_S = 20.0


def until(condition: Callable[[], Any], timeout_s: float = TIMEOUT_S) -> Any:
    """What the condition gives once that is true; it is false still where the time is over."""
    deadline = time.monotonic() + timeout_s
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def listens(port: int) -> bool:
    """Whether a connection to the loopback port is taken."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def processes(mark: str) -> dict[int, str]:
    """The processes that live and have the mark in their environment: a command's children and theirs, by id."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            dead = (folder / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
            if not dead and f"{MARK}={mark}".encode() in (folder / "environ").read_bytes():
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything that a person saw."""
        return self.out + self.err


@dataclass(slots=True)
class Started:
    """A command that runs, in a process group of its own as a terminal gives it one."""

    process: subprocess.Popen[bytes]
    mark: str
    folder: Path
    out: Path
    err: Path
    environment: Mapping[str, str] = field(repr=False)

    def press_ctrl_c(self) -> None:
        """What a terminal does: SIGINT to the whole group in front."""
        os.killpg(self.process.pid, signal.SIGINT)

    def done(self, timeout_s: float = TIMEOUT_S) -> Done:
        """Waits for its end; no ending shows a traceback and none leaves a process."""
        code = self.process.wait(timeout_s)
        result = Done(code, self.out.read_text("utf-8", "replace"), self.err.read_text("utf-8", "replace"))
        assert "Traceback (most recent call last)" not in result.text, result.text
        assert "internal error" not in result.text, result.text
        assert until(lambda: not processes(self.mark), GONE_S), processes(self.mark)
        return result

    def run_folder(self) -> Path | None:
        """The folder of the run, once its run.json is there."""
        return next((path.parent for path in self.folder.glob("reports/2*/run.json")), None)

    def record(self) -> dict[str, Any]:
        """What run.json says now."""
        folder = until(self.run_folder)
        assert folder, self.err.read_text("utf-8", "replace")
        value: dict[str, Any] = json.loads((folder / "run.json").read_text())
        return value


def start(
    folder: Path,
    *words: str,
    program: Sequence[str] = (sys.executable, "-m", "harness.cli"),
    environment: Mapping[str, str] | None = None,
) -> Started:
    """Starts `harness WORDS` (or another program) in a folder."""
    mark = uuid.uuid4().hex
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "HARNESS_", "COV_"))}
    told = {**own, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", MARK: mark, **(environment or {})}
    out, err = folder / f".out-{mark}", folder / f".err-{mark}"
    with out.open("wb") as output, err.open("wb") as errors:
        process = subprocess.Popen(
            [*program, *words],
            cwd=folder,
            env=told,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
    return Started(process, mark, folder, out, err, told)
