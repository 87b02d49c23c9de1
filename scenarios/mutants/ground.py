"""Where a mutant is tried: a copy of the reference API with its one change, started, and verified as any build is."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import archive
from harness.child import Child
from harness.errors import HarnessError, TargetError, UsageError
from harness.exits import Exit
from harness.targets import ProcessTarget, fetched
from scenarios.mutants import recorded
from scenarios.mutants.fate import Fate, Trial, fate_of
from scenarios.mutants.reached import Reached
from scenarios.mutants.scope import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.config import Config
    from scenarios.mutants.mutant import Mutant
    from scenarios.mutants.source import Source

GRACE_S = 60.0
POLL_S = 0.2
SHOWN = 3


class Stopped(Exception):
    """The command was told to end."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What all trials of one command share. `work` is a folder that is thrown away; `words` are given to `verify`.

    The harness that verifies is this one, and so are its scenarios: only the target runs from the copy.
    """

    root: Path
    config: Config
    work: Path
    budget_s: float
    words: tuple[str, ...]
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def document(self) -> Path:
        """The clean build's document, with which every mutant is verified."""
        return self.work / "openapi.json"

    def hold(self) -> Reached:
        """Verifies the copy without a change and keeps its document; what of the copy was run.

        Raises UsageError where that run does not hold: then a run that finds something says nothing of a mutant.
        """
        with self._copied() as folder:
            lines = folder / "reached.txt"
            recorded.install(folder, lines)
            with self._target(folder) as clean:
                self.document.write_bytes(fetched(clean.url, self._table.get("contract", "/openapi.json")))
                code, why = self._verified(clean, folder)
            reached = Reached.read(lines)
        if code != Exit.HOLDS:
            more = ["a busy machine needs more time: --budget"] if code == Exit.INCONCLUSIVE else []
            raise UsageError(
                "the build without a mutant does not hold, so nothing can be told of mutants", [why, *more]
            )
        return reached

    def tried(self, mutant: Mutant, source: Source) -> Trial:
        """What becomes of one mutant. Raises Stopped when the command ends before that is known."""
        began = time.monotonic()
        with self._copied() as folder:
            written(mutant, source, folder)
            fate, why = self._fate(folder)
        return Trial(mutant, fate, why, time.monotonic() - began)

    def _fate(self, folder: Path) -> tuple[Fate, str]:
        try:
            target = self._target(folder)
            with contextlib.ExitStack() as stack:
                try:
                    stack.enter_context(target)
                except TargetError as error:
                    return Fate.DISCARDED, str(error).strip().splitlines()[-1].strip()
                code, why = self._verified(target, folder)
        except HarnessError as error:
            return Fate.UNKNOWN, str(error)
        return fate_of(code), why

    @property
    def _table(self) -> dict[str, Any]:
        return dict(self.config.target["process"])

    @contextlib.contextmanager
    def _copied(self) -> Iterator[Path]:
        """A folder with the reference API in it; gone after the block."""
        if self.stopping.is_set():
            raise Stopped
        with tempfile.TemporaryDirectory(prefix="mutant-", dir=self.work, ignore_cleanup_errors=True) as folder:
            shutil.copytree(self.root / PACKAGE, Path(folder) / PACKAGE)
            yield Path(folder)

    def _target(self, folder: Path) -> ProcessTarget:
        """The target of harness.toml, run from the folder: its modules are found there before any others."""
        path = os.pathsep.join(filter(None, [str(folder), str(self.root), os.environ.get("PYTHONPATH")]))
        environment = {**self._table.get("environment", {}), "PYTHONPATH": path}
        return ProcessTarget({**self._table, "environment": environment}, folder)

    def _verified(self, target: ProcessTarget, folder: Path) -> tuple[int | None, str]:
        """The ordinary verification in a process of its own: its exit code, and what it found or why it did not."""
        reports = folder / "reports"
        command = [sys.executable, "-m", "harness.cli", "verify", "--first", "--url", target.url]
        command += ["--contract", str(self.document), "--budget", f"{self.budget_s:g}s", "--reports", str(reports)]
        command += self.words
        ends = time.monotonic() + self.budget_s * 2 + GRACE_S
        log = folder / "verify.log"
        with (
            log.open("wb") as output,
            Child(command, environment=target.environment, output=output, folder=self.root) as child,
        ):
            while (code := child.wait(POLL_S)) is None and time.monotonic() < ends:
                if self.stopping.is_set():
                    raise Stopped
        return code, _ending(code, reports, log)


def written(mutant: Mutant, source: Source, folder: Path) -> None:
    """Writes the mutated file into a copy; what was compiled of the file before is taken out."""
    file = folder / mutant.path
    file.write_text(mutant.applied(source.text), encoding="utf-8")
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        compiled.unlink()


def _ending(code: int | None, reports: Path, log: Path) -> str:
    """What a run found, worst first; without a finding, how it ended."""
    runs = sorted(path.parent for path in reports.glob("*/run.json") if not path.parent.is_symlink())
    report = archive.read(runs[-1]) if runs else None
    if report is not None and report.findings:
        return ", ".join(f"{item.code} at {item.operation}" for item in report.findings[:SHOWN])
    if code == Exit.HOLDS:
        return "holds"
    last = log.read_text("utf-8", "replace").strip().splitlines()[-1:]
    ended = "did not end in its time" if code is None else f"exit {code}"
    return f"{ended}: {(report.reason if report is not None else '') or ' '.join(last)}"
