"""Targets that are not there, hang, die, answer nonsense or never end: one message, exit 3, nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration import hostile
from tests.integration.started import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.started import Done, Started

CONTRACT = json.dumps(
    {
        "openapi": "3.1.0",
        "info": {"title": "One", "version": "1"},
        "paths": {"/one": {"get": {"operationId": "one", "responses": {"200": {"description": "fine"}}}}},
    }
)


def test_an_unreachable_target(harness: Callable[..., Done], tmp_path: Path) -> None:
    """Where nothing listens, the message has the address, the reason and the fix; no folder of a run is left."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can be given this port
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = harness("verify", "--url", address)
    assert done.code == 3
    assert f"{address} does not answer as an HTTP server" in done.err
    assert "start it, or mend the address" in done.err
    assert list(tmp_path.glob("reports/2*")) == []


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (hostile.hangs, "timed out"),
        (hostile.garbage, "does not answer as an HTTP server"),
        (hostile.silent, "connection closed without an answer"),
        (hostile.redirects, "redirects more than 5 times"),
        (hostile.endless, "body larger than"),
        (hostile.large_header, "does not answer as an HTTP server"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_target_that_misbehaves(
    harness: Callable[..., Done], behaviour: Callable[[socket.socket], None], reason: str
) -> None:
    """A target that answers no HTTP, or no end of it, is told within seconds and ends with 3."""
    with hostile.served(behaviour) as address:
        done = harness("verify", "--url", address, "--contract", "/openapi.json", "--budget", "20s")
    assert done.code == 3
    assert address in done.err
    assert reason in done.err
    assert len(done.err.splitlines()) == 1


def test_a_target_that_redirects_whatever_is_asked(harness: Callable[..., Done], tmp_path: Path) -> None:
    """A target that redirects every request is examined against its contract file, and ends without a crash."""
    (tmp_path / "one.json").write_text(CONTRACT)
    with hostile.served(hostile.redirects) as address:
        words = ("--url", address, "--contract", "one.json", "--budget", "60s", "--jobs", "1", "--only", "schema")
        done = harness("verify", *words)
    assert done.code == 1
    assert "schema.undocumented-status" in done.out


def test_a_target_that_dies(begin: Callable[..., Started], project: Path) -> None:
    """A target killed while it is verified ends the run with 3; what was recorded and the report stay."""
    started = begin("verify", "--budget", "60s", "--seed", "1", "--jobs", "1")
    assert until(lambda: any(path.stat().st_size for path in project.glob("reports/2*/history/pytest*.jsonl")))
    os.kill(int((project / "notes.pid").read_text()), signal.SIGKILL)
    done = started.done()
    assert done.code == 3
    record = started.record()
    assert (record["status"], record["exit_code"]) == ("complete", 3)
    assert "the target does not answer any more" in done.out
    assert record["requests"] > 0
    assert (project / "reports" / "latest" / "report.html").is_file()


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ([sys.executable, "-c", "print('no such setting'); raise SystemExit(7)"], "ended with 7 before it was healthy"),
        (["no-such-command-anywhere"], "no-such-command-anywhere cannot be started"),
        ([sys.executable, "-c", "import time; time.sleep(60)"], "is not healthy after 1 s"),
    ],
    ids=["ends", "is-not-there", "never-healthy"],
)
def test_a_process_that_does_not_serve(
    harness: Callable[..., Done], tmp_path: Path, command: list[str], reason: str
) -> None:
    """A command of harness.toml that does not come to serve is told with the last lines that it wrote."""
    (tmp_path / "harness.toml").write_text(
        f"[target.process]\ncommand = {json.dumps(command)}\nstart_timeout_s = 1\nhealth = '/health'\n"
    )
    done = harness("verify")
    assert done.code == 3
    assert reason in done.err
    assert list(tmp_path.glob("reports/2*")) == []


def test_a_preparation_that_fails(harness: Callable[..., Done], tmp_path: Path) -> None:
    """A preparation that ends with an error is told with its output, secrets masked."""
    told = "import os, sys; print('tried', os.environ['KEY'], os.environ['PASSWORD']); sys.exit(4)"
    (tmp_path / "harness.toml").write_text(
        f"[target.process]\ncommand = ['true']\nprepare = [{json.dumps([sys.executable, '-c', told])}]\n"
        "environment = { KEY = '{secret}', PASSWORD = '{secret:PASSWORD}' }\n"
    )
    done = harness("verify")
    assert done.code == 3
    assert "ended with 4" in done.err
    assert "tried [masked] [masked]" in done.err


def test_a_slow_target_keeps_the_budget(harness: Callable[..., Done], notes: Callable[..., str]) -> None:
    """A target that takes two seconds for an answer is inconclusive, and the budget is kept within a margin."""
    address = notes(NOTES_DELAY_S="2")
    assert until(lambda: hostile.answers(address))
    done = harness("verify", "--url", address, "--budget", "20s", "--seed", "1")
    assert done.code in {1, 4}, done.text
    seconds = float(done.out.rpartition(" after ")[2].split()[0])
    assert seconds < 60
