"""The profiles of planted defects: what the target must be for a defect to exist, and how such a target is started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import config as configs
from harness.errors import UsageError
from harness.targets import ProcessTarget

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from harness.config import Config

FIRST = "1"


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of target. `config` is what it is verified with, read from `file`, None where that is the usual one.

    `table` is its [target.process]; `command` starts it with `{defect}` planted, in the table's command's place.
    """

    name: str
    file: Path | None
    config: Config
    table: Mapping[str, Any]
    command: tuple[str, ...]

    def clean(self) -> ProcessTarget:
        """The target without a defect."""
        return ProcessTarget(self.table, self.config.folder)

    def planted(self, defect: str) -> ProcessTarget:
        """The target with a defect."""
        command = [word.replace("{defect}", defect) for word in self.command]
        return ProcessTarget(self.table, self.config.folder, command=command)


def profiles(config: Config, file: Path | None, names: Iterable[str]) -> dict[str, Profile]:
    """The named profiles: the first is the target of harness.toml itself, others stand in `[prove.profiles]`.

    Raises UsageError with every one that is not told, or whose file cannot be used.
    """
    told: Mapping[str, Mapping[str, Any]] = config.prove.get("profiles", {})
    made: dict[str, Profile] = {}
    problems = []
    for name in names:
        try:
            made[name] = _first(config, file) if name == FIRST else _other(config, file, name, told)
        except UsageError as error:
            problems += [str(error)]
    if problems:
        raise UsageError("not every planted defect can be started", problems)
    return made


def _first(config: Config, file: Path | None) -> Profile:
    return Profile(FIRST, file, config, config.target["process"], tuple(config.prove["command"]))


def _other(config: Config, file: Path | None, name: str, told: Mapping[str, Mapping[str, Any]]) -> Profile:
    place = f"prove.profiles.{name}"
    if name not in told:
        raise UsageError(f"there are defects of profile {name!r}; write [{place}]")
    entry = told[name]
    own = config
    if "config" in entry:
        file = config.folder.absolute() / entry["config"]
        own = configs.read(file)
    if "process" not in own.target:
        raise UsageError(f"{place}.config: {file} has no [target.process]; write it, or name another file")
    table = own.target["process"]
    environment = {**table.get("environment", {}), **entry.get("environment", {})}
    command = tuple(entry.get("command", config.prove["command"]))
    return Profile(name, file, own, {**table, "environment": environment}, command)
