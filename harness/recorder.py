"""The one door to the target: sends what a driver asks for, writes it to the history, gives it back."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from harness.actors import SETUP
from harness.clock import Clock, SystemClock
from harness.errors import CannotTell
from harness.exchange import Exchange, Request
from harness.history import FOLDER, Journal
from harness.mask import Mask
from harness.verdict import LEFT_SAFE
from harness.wire import Sent, Wire

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Recorder:
    """Sends from any thread, over an event loop of its own; an exchange is a line of `history/<driver>-<pid>.jsonl`.

    What it returns holds secrets as they came, since a case needs a token to go on; what it writes does not. With
    `reads_only` it sends safe methods (RFC 9110, 9.2.1) and told accounts' `login`, and raises CannotTell for the rest.
    """

    def __init__(  # noqa: PLR0913 - what a door has, most of it by name
        self,
        url: str,
        run: Path,
        driver: str,
        *,
        clock: Clock | None = None,
        mask: Mask | None = None,
        reads_only: bool = False,
        login: str = "",
    ) -> None:
        self.url, self.driver = url, driver
        self._reads_only, self._login = reads_only, login
        self.clock = clock or SystemClock()
        self.mask = mask or Mask()
        self.count = 0
        self._groups = 0
        self._lock = threading.Lock()
        self._journal = Journal(run / FOLDER / f"{driver}-{os.getpid()}.jsonl")
        self._wire = Wire(url, self.clock)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="recorder", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def allows(self, method: str, operation: str = "", step: str = "") -> bool:
        """Whether a request of that method may be sent at all; a login only in the set-up of an identity."""
        login = step == SETUP and operation != "" and operation == self._login
        return not self._reads_only or method in SAFE_METHODS or login

    def send(self, request: Request, *, case: str = "", due_ns: int = 0) -> Exchange:
        """Sends one request and returns its exchange; a target that fails is in the exchange, not an exception."""
        due_ns = due_ns or self.clock.now_ns()
        sent = self._run((request,))[0]
        return self._recorded(request, sent, case=case, group=0, due_ns=due_ns)

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """Releases requests at one instant and returns their exchanges in the same order."""
        with self._lock:
            self._groups += 1
            group = self._groups
        due_ns = self.clock.now_ns()
        answers = self._run(requests)
        return tuple(
            self._recorded(request, sent, case=case, group=group, due_ns=due_ns)
            for request, sent in zip(requests, answers, strict=True)
        )

    def close(self) -> None:
        """Closes connections, loop and file."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._wire.close(), self._loop).result(timeout=5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()
        self._journal.close()

    def _run(self, requests: Sequence[Request]) -> list[Sent]:
        if not all(self.allows(request.method, request.operation, request.step) for request in requests):
            raise CannotTell(LEFT_SAFE)
        future = asyncio.run_coroutine_threadsafe(self._wire.release(requests), self._loop)
        try:
            return future.result()
        except (KeyboardInterrupt, CancelledError):
            future.cancel()
            raise

    def _recorded(self, request: Request, sent: Sent, *, case: str, group: int, due_ns: int) -> Exchange:
        with self._lock:
            self.count += 1
            name = f"{self.driver}-{os.getpid()}-{self.count}"
        exchange = Exchange(
            id=name,
            request=request,
            response=sent.response,
            due_ns=due_ns,
            sent_ns=sent.sent_ns,
            done_ns=sent.done_ns,
            driver=self.driver,
            case=case,
            group=group,
            error=sent.error,
            wall_s=self.clock.wall().timestamp() - (self.clock.now_ns() - sent.done_ns) / 1e9,
        )
        if request.secret_pointers and sent.response is not None:
            self.mask.learn(sent.response.json(), request.secret_pointers)
        shown = replace(exchange, request=_with_credentials_shown(request))
        self._journal.append(self.mask.record(shown.to_record()))
        return exchange


def _with_credentials_shown(request: Request) -> Request:
    """The request with its identity's headers among its own, so that the record says that they were sent."""
    if not request.identity.headers or any(name.lower() == "authorization" for name, _ in request.headers):
        return request
    return replace(request, headers=(*request.identity.headers, *request.headers))
