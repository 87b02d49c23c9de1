"""Nothing outlives the harness: not even where it is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.child import Child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A command that listens, with a child of its own that listens too and does not heed SIGTERM; it writes its ports.
LISTENER = """
import os, signal, socket, sys, time
def listen():
    s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); return s
mine = listen()
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    mine.close(); theirs = listen()
    with open(sys.argv[1] + ".child", "w") as file: file.write(f"{theirs.getsockname()[1]} {os.getpid()}\\n")
    time.sleep(60)
with open(sys.argv[1], "w") as file: file.write(f"{mine.getsockname()[1]} {os.getpid()}\\n")
time.sleep(60)
"""
PARENT = """
import sys, time
from harness.child import Child
child = Child([sys.executable, "-c", sys.argv[1], sys.argv[2]])
time.sleep(60)
"""


def until(condition: Callable[[], bool], timeout_s: float = 20) -> bool:
    """Whether it comes true in that time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def listens(port: int) -> bool:
    """Whether a connection to the port is taken."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def lives(process: int) -> bool:
    """Whether the process runs; one that has ended and not been waited for does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def told(path: Path) -> list[tuple[int, int]]:
    """The port and the process of the listener and of its child, once both have written them."""
    places = [path, path.with_name(path.name + ".child")]
    assert until(lambda: all(place.is_file() and place.read_text().endswith("\n") for place in places))
    return [(int(port), int(process)) for port, process in (place.read_text().split() for place in places)]


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[tuple[int, int]]]]:
    """A process that started the listener as its child."""
    path = tmp_path / "ports"
    with subprocess.Popen([sys.executable, "-c", PARENT, LISTENER, str(path)]) as process:
        try:
            yield process, told(path)
        finally:
            process.kill()


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_parent_leaves_no_process_and_no_port(
    parent: tuple[subprocess.Popen[bytes], list[tuple[int, int]]], sign: signal.Signals
) -> None:
    """After SIGKILL of the parent the command, and what it started, are gone, and their ports are free."""
    process, running = parent
    assert all(listens(port) for port, _ in running)
    process.send_signal(sign)
    process.wait()
    assert until(lambda: not any(listens(port) or lives(each) for port, each in running))


def test_stopping_ends_the_whole_group(tmp_path: Path) -> None:
    """`stop` returns when the command and everything that it started have ended, a child deaf to SIGTERM too."""
    with Child([sys.executable, "-c", LISTENER, str(tmp_path / "ports")]) as child:
        running = told(tmp_path / "ports")
        assert child.poll() is None
    assert until(lambda: not any(listens(port) or lives(each) for port, each in running), 2)


@pytest.mark.parametrize(("command", "code"), [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)])
def test_the_commands_own_end_is_told(command: str, code: int) -> None:
    """A command that ends by itself gives its exit code, or 128 and the signal that ended it."""
    with Child([sys.executable, "-c", command]) as child:
        assert child.wait(20) == code


def test_output_can_be_read() -> None:
    """A child started with a pipe gives what it writes, errors included."""
    command = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
    with Child([sys.executable, "-c", command], output=subprocess.PIPE, environment=dict(os.environ)) as child:
        assert child.stdout is not None
        assert child.stdout.read().split() == [b"out", b"err"]


def test_a_command_that_is_not_there_ends_at_once() -> None:
    """A command that cannot be started ends with a code that is not 0."""
    with Child(["no-such-command-anywhere"], output=subprocess.PIPE) as child:
        assert child.wait(20) not in {0, None}
