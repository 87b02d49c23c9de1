"""Runs a command for as long as its parent lives: `python -m harness.guard COMMAND...`, the parent holding its stdin.

When stdin ends, because the parent closed it or was killed, the command's whole process group is asked to end and,
after five seconds, killed. So nothing is left behind even where the harness itself dies by SIGKILL.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys

GRACE_S = 5.0
POLL_S = 0.05
NOT_STARTED = 127


def main(command: list[str]) -> int:
    """Runs the command until it ends or stdin does; its exit code, or 128 + the signal that ended it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: _end(child))
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - the user's command
    except OSError as error:
        sys.stderr.write(f"{command[0]} cannot be started: {error.strerror}\n")
        return NOT_STARTED
    try:
        while child.poll() is None:
            readable, _, _ = select.select([sys.stdin.buffer], [], [], POLL_S)
            if readable and not os.read(sys.stdin.fileno(), 1):
                break
    finally:
        _end(child)
    code = child.wait()
    return code if code >= 0 else 128 - code


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends the child's group: politely, then not; also what the child left in its group when it ended."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
