"""Several workers: a parent holds the sockets, runs a process for each, replaces one that dies and ends them all."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections import deque
from typing import TYPE_CHECKING

from reference_impl.server import GRACE_S, INTERRUPTED

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

FAILED = 1
_RESTARTS = 10
_RESTARTS_WINDOW_S = 60.0
# A worker that ignores its own grace is killed.
_PATIENCE_S = GRACE_S + 5


class Workers:
    """Runs `work(listener, watched)` in a process a listener; `watched` ends when this process does.

    Children are forked, so the parent may have no thread and no loop. It keeps every listener open: connections that
    wait for a worker that died are served by the one that follows it.
    """

    def __init__(self, listeners: list[socket.socket], work: Callable[[socket.socket, int], None]) -> None:
        self._listeners = listeners
        self._work = work
        self._parent = os.getpid()
        self._watched, self._alive = os.pipe()
        self._running: dict[int, socket.socket] = {}
        self._restarts: deque[float] = deque()
        self._ended_by = 0
        self._failed = False

    def run(self) -> int:
        """Start the workers, keep them going until SIGTERM or SIGINT, and return the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        signal.signal(signal.SIGALRM, self._kill)
        for listener in self._listeners:
            self._start(listener)
        while self._running:
            process, status = os.waitpid(-1, 0)
            self._ended(process, os.waitstatus_to_exitcode(status))
        signal.alarm(0)
        return FAILED if self._failed else INTERRUPTED if self._ended_by == signal.SIGINT else 0

    def _start(self, listener: socket.socket) -> None:
        if self._ending():
            return
        sys.stdout.flush()
        process = os.fork()
        if process == 0:
            self._become_worker(listener)
        self._running[process] = listener
        if self._ending():  # the signal came while the child was not in the list
            _tell(process, signal.SIGTERM)

    def _become_worker(self, listener: socket.socket) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        os.close(self._alive)
        for other in self._listeners:
            if other is not listener:
                other.close()
        self._work(listener, self._watched)
        raise SystemExit(0)

    def _ended(self, process: int, code: int) -> None:
        listener = self._running.pop(process)
        if self._ended_by:
            self._failed |= code not in {0, INTERRUPTED, -signal.SIGTERM, -signal.SIGINT}
            return
        now = time.monotonic()
        while self._restarts and self._restarts[0] <= now - _RESTARTS_WINDOW_S:
            self._restarts.popleft()
        if len(self._restarts) < _RESTARTS:
            self._restarts.append(now)
            sys.stderr.write(f"Worker {process} ended with {code}; another takes its place.\n")
            self._start(listener)
            return
        sys.stderr.write(f"Worker {process} ended with {code}, the {_RESTARTS + 1}th within a minute: all end.\n")
        self._failed = True
        self._end(signal.SIGTERM, None)

    def _ending(self) -> bool:
        return self._ended_by != 0

    def _end(self, number: int, _frame: object) -> None:
        if os.getpid() != self._parent:  # forked a moment ago
            raise SystemExit(0)
        self._ended_by = self._ended_by or number
        for listener in self._listeners:
            listener.close()
        for process in self._running:
            _tell(process, signal.SIGTERM)
        signal.alarm(_PATIENCE_S)

    def _kill(self, _number: int, _frame: object) -> None:
        self._failed = True
        for process in self._running:
            _tell(process, signal.SIGKILL)


def _tell(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended, and this signal came before it left the list
        os.kill(process, number)
