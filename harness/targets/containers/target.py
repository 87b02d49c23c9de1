"""A target in containers of this run: services and the API on a network of their own, gone when the run is."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.interruption import passed_over
from harness.targets.containers.plan import KEY, planned
from harness.targets.health import wait_healthy
from harness.targets.preparation import prepare
from harness.targets.started import StartedTarget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.targets.containers.daemon import Daemon, Started
    from harness.targets.drawn import Drawn

PREPARE_TIMEOUT_S = 600.0
FIX = "pip install 'api-stack-harness[containers]'"


class ContainersTarget(StartedTarget):
    """Starts what `[target.containers]` tells, with testcontainers.

    `{secret}` draws a secret, `{secret:NAME}` one for all places that name it, which identities can call `{env:NAME}`;
    the other placeholders are those of `planned`. Raises UsageError with every problem of the table. `command` may be
    given to start the API's image with another command.
    """

    kind = "containers"

    def __init__(self, told: Mapping[str, Any], folder: Path, *, command: Sequence[str] | None = None) -> None:
        super().__init__(told, folder, command=command)
        self.plan = planned(told, folder.absolute(), os.environ, self._drawn, command=self.command)
        self._daemon: Daemon | None = None
        self._api: Started | None = None

    def end(self) -> None:
        """Removes everything of the run that the daemon has, undisturbed by further signals."""
        with contextlib.ExitStack() as undisturbed:
            if threading.current_thread() is threading.main_thread():
                undisturbed.enter_context(passed_over())
            if self._daemon is not None:
                self._daemon.close()
                self._daemon = self._api = None

    def alive(self) -> bool:
        """Whether the API's container still runs."""
        return self._api is not None and not self._api.ended()

    def describe(self) -> dict[str, str]:
        """Its kind, its address and the images."""
        return {"kind": self.kind, "url": self._url, "command": self.plan.describe()}

    def start(self) -> None:
        """Starts services, image, set-up and API in their order; returns once it is healthy."""
        plan = self.plan
        self._daemon = daemon = opened(self._drawn)
        self._prepare()
        daemon.open(volume=bool(plan.data))
        services = [(service, daemon.serve(service, plan)) for service in plan.services]
        image = daemon.build(plan.build, plan) if plan.build else plan.image
        for service, started in services:
            started.wait_ready(service.ready)
        for command in plan.set_up:
            daemon.once(image, command, plan)
        self._api = api = daemon.api(image, plan)
        self._url = api.url(plan.port)
        wait_healthy(self._url, self.told, api.ended, api.tail)

    def _prepare(self) -> None:
        with tempfile.TemporaryDirectory(prefix="harness-target-") as name:
            for command in self.plan.prepare:
                prepare(
                    command,
                    key=f"{KEY}.prepare",
                    environment={**os.environ, **self.plan.images},
                    folder=self.folder,
                    log=Path(name) / "prepare.log",
                    timeout_s=PREPARE_TIMEOUT_S,
                    shown=self._drawn.shown,
                )


def opened(drawn: Drawn) -> Daemon:
    """The Docker daemon that answers; raises UsageError where the extra is missing, TargetError where none answers."""
    try:
        from harness.targets.containers.daemon import connected  # noqa: PLC0415 - an extra that others do without
    except ImportError as error:
        raise UsageError(
            f"a target in containers needs the extra `containers`: {error.name} is not installed", [FIX]
        ) from error
    return connected(drawn)
