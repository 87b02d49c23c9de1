"""A worker that has ended and is still in its parent's list is no reason for the parent to die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# Whatever the parent is told, it is told when the worker's process is gone and its entry is not.
PROGRAM = """
import os, signal, socket, sys
from reference_impl.workers import Workers

reap = os.waitpid

def told(process, options):
    found = reap(process, options)
    for number in sys.argv[1:]:
        signal.raise_signal(int(number))
    return found

os.waitpid = told
raise SystemExit(Workers([socket.socket()], lambda listener, watched: None).run())
"""


@pytest.mark.parametrize(
    ("told", "code"),
    [((signal.SIGTERM,), 0), ((signal.SIGINT,), 130), ((signal.SIGTERM, signal.SIGTERM), 0)],
)
def test_a_signal_that_meets_the_end_of_a_worker_ends_the_parent_as_documented(
    told: tuple[signal.Signals, ...], code: int
) -> None:
    """The exit code is that of the signal, and nothing is on standard error."""
    done = ended(told)
    assert (done.returncode, done.stderr) == (code, "")


def test_the_last_patience_that_meets_the_end_of_a_worker_is_a_failure_without_a_trace() -> None:
    """The worker was to be killed, and had ended a moment before."""
    done = ended((signal.SIGTERM, signal.SIGALRM))
    assert (done.returncode, done.stderr) == (1, "")


def ended(told: tuple[signal.Signals, ...]) -> subprocess.CompletedProcess[str]:
    """Run a parent whose one worker ends by itself, and which is told these signals at that moment."""
    command = [sys.executable, "-c", PROGRAM, *(str(int(number)) for number in told)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=60)
