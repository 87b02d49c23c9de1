"""The planted defects of a project: what its own command lists, and those of them that are asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.config import filled
from harness.errors import UsageError
from harness.profiles import FIRST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.config import Config
    from harness.finding import Finding

LIST_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Defect:
    """What is planted: the classes of finding that name it, the operations where one may stand, and what it needs.

    `profile` names the kind of target on which it exists; it says nothing of the check that is to find it.
    """

    id: str
    title: str
    codes: tuple[str, ...]
    operations: tuple[str, ...]
    profile: str = FIRST

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Defect:
        """The defect that a project's list tells; raises KeyError or TypeError where it is no such object."""
        codes, operations = tuple(record["codes"]), tuple(record["operations"])
        return cls(record["id"], record["title"], codes, operations, str(record.get("profile", FIRST)))

    def is_shown_by(self, finding: Finding) -> bool:
        """Whether the finding is of the defect's class and at its operation."""
        return finding.code in self.codes and finding.operation in self.operations


def listed(config: Config) -> list[Defect]:
    """The planted defects that the command `prove.list` prints."""
    if not config.prove or "process" not in config.target:
        raise UsageError(
            "harness.toml has no planted defects", ["write [prove] list and command, and [target.process]"]
        )
    command = filled(list(config.prove["list"]), {"python": sys.executable}, os.environ)
    shown = f"prove.list {' '.join(command)!r}"
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command
            command, cwd=config.folder, capture_output=True, check=False, timeout=LIST_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"{shown} gave no list: {error}") from error
    if done.returncode:
        raise UsageError(f"{shown} ended with {done.returncode}: {done.stderr.decode('utf-8', 'replace')[-500:]}")
    try:
        return [Defect.from_record(item) for item in json.loads(done.stdout)]
    except (ValueError, TypeError, KeyError) as error:
        told = f"{type(error).__name__}: {error}"
        raise UsageError(f"{shown} printed no JSON list of id, title, codes and operations: {told}") from error


def chosen(defects: Sequence[Defect], only: Sequence[str]) -> list[Defect]:
    """Those of the ids, all where none is named; raises UsageError with every id that is not there."""
    known = {defect.id for defect in defects}
    unknown = [name for name in only if name not in known]
    if unknown:
        raise UsageError(f"no defect is called {', '.join(unknown)}", [f"known are {', '.join(sorted(known))}"])
    return [defect for defect in defects if not only or defect.id in only]
