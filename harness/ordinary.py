"""The ordinary verification in a process of its own, watched from outside: it is not told what is looked for."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness import archive
from harness.child import Child
from harness.errors import HarnessError
from harness.exits import Exit
from harness.finding import Confirmation
from harness.run import Heard
from harness.session import LATEST

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.finding import Finding
    from harness.targets import ProcessTarget
    from harness.verdict import Verdict

GRACE_S = 60.0
POLL_S = 0.5
LOG = "prove.log"

Enough = Callable[["Finding"], bool]


@dataclass(frozen=True, slots=True)
class Ordinary:
    """`harness verify` as anyone would call it, with the clean build's document.

    So many `processes` drive its promise cases and its fuzzing. Once `stopping` is set, verifications end.
    """

    document: Path
    config: Path | None
    reports: Path
    budget_s: float
    stopping: threading.Event = field(default_factory=threading.Event)
    processes: int = 2

    def verified(self, target: ProcessTarget, seed: int, enough: Enough | None = None) -> tuple[Path, int]:
        """The run's folder and its exit code; it is ended at the first confirmed finding that is `enough`.

        Raises HarnessError where it left no run or did not end in its time.
        """
        reports = self.reports.absolute()
        reports.mkdir(parents=True, exist_ok=True)
        before = {path.parent for path in reports.glob("*/run.json")}
        log = reports / LOG
        with (
            log.open("ab") as output,
            Child(
                self._command(target, seed),
                environment={**os.environ, **target.environment},
                output=output,
                folder=target.folder,
            ) as child,
        ):
            code, folder = self._watched(child, lambda: _fresh(reports, before, target.url), enough)
        if code is None or folder is None:
            late = "was stopped" if self.stopping.is_set() else "did not end in its time"
            ended = late if code is None else f"ended with {code} and left no run"
            raise HarnessError(f"the verification {ended}; see {log}")
        return folder, code

    def _watched(
        self, child: Child, fresh: Callable[[], Path | None], enough: Enough | None
    ) -> tuple[int | None, Path | None]:
        """The exit code, None where time or patience ended first, and the run's folder as soon as there is one."""
        folder, code, heard = None, None, None
        ends = time.monotonic() + self.budget_s * 2 + GRACE_S
        while code is None and time.monotonic() < ends and not self.stopping.is_set():
            code = child.wait(POLL_S)
            folder = folder or fresh()
            heard = heard or (folder and Heard(folder))
            if code is None and heard and enough and _shown(heard.verdicts(), enough):
                code = Exit.FINDINGS
        return code, folder

    def _command(self, target: ProcessTarget, seed: int) -> list[str]:
        command = [sys.executable, "-m", "harness.cli", "verify", "--url", target.url]
        command += ["--contract", str(self.document), "--seed", str(seed), "--budget", f"{self.budget_s:g}s"]
        command += ["--reports", str(self.reports.absolute()), "--jobs", str(self.processes)]
        return command + (["--config", str(self.config.absolute())] if self.config else [])


def _shown(verdicts: Iterable[Verdict], enough: Enough) -> bool:
    """Whether a confirmed finding is one of those that are enough."""
    return any(
        finding.confirmation is Confirmation.CONFIRMED and enough(finding)
        for verdict in verdicts
        for finding in verdict.findings
    )


def _fresh(reports: Path, before: set[Path], url: str) -> Path | None:
    """The newest run of that address that was not there before; its record is written whole, or not yet."""
    new = sorted(
        path.parent for path in reports.glob("*/run.json") if path.parent not in before and path.parent.name != LATEST
    )
    return next((folder for folder in reversed(new) if archive.read_record(folder)["target"]["url"] == url), None)
