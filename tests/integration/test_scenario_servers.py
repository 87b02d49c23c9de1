"""PostgreSQL, Redis and two workers as one command, which leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.integration.started import start, until
from tests.servers.api import PASSWORD, free_port
from tests.servers.postgres import found_binaries
from tests.servers.redis import BINARY, MISSING

PROGRAM = (sys.executable, "-m", "scenarios.servers")


def healthy(port: int) -> bool:
    """Whether the API answers with its database."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(json.load(answer)["database"] == "up")
    except OSError:
        return False


def test_all_three_serve_and_end_together(tmp_path: Path) -> None:
    """The API answers over its own PostgreSQL and Redis; SIGTERM to the command ends every process of it."""
    if BINARY is None or found_binaries() is None:
        pytest.skip(f"{MISSING}, or PostgreSQL's binaries")
    port = free_port()
    environment = {"API_PROFILE": "verify", "API_DATA": str(tmp_path / "files"), "ADMIN_PASSWORD": PASSWORD}
    started = start(tmp_path, "--port", str(port), program=PROGRAM, environment=environment)
    running: dict[int, str] = {}
    try:
        assert until(lambda: healthy(port) or started.process.poll() is not None, 90)
        assert started.process.poll() is None, started.out.read_text() + started.err.read_text()
        running = children(started.process.pid)
        assert all(any(name in line for line in running.values()) for name in ("postgres", "redis", "--workers 2"))
        started.process.send_signal(signal.SIGTERM)
        assert started.done(60).code == 0
    finally:
        left = [process for process in running if Path(f"/proc/{process}").exists()]
        for process in left:
            os.kill(process, signal.SIGKILL)
    assert not left


def children(parent: int) -> dict[int, str]:
    """The command lines of a process's children, by id."""
    ids = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {int(word): Path(f"/proc/{word}/cmdline").read_text().replace("\0", " ") for word in ids}


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    """Where a package is not installed, the message says which program it wants, and the code is that of wrong use."""
    program = (sys.executable, "-c", "import scenarios.servers as s; s.found('redis-server-of-nobody')")
    done = start(tmp_path, program=program).done()
    assert done.code == 2
    assert done.err == "There is no redis-server-of-nobody: install Debian's package for it.\n"
