"""What every back-up has: a folder that counts once its list is written, for one engine and named tenants."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from reference_impl.clock import rfc3339

if TYPE_CHECKING:
    from pathlib import Path

    from reference_impl.data.migrations import Engine

_LIST = "backup.json"


class BackupError(Exception):
    """A back-up cannot be made or restored; the message names the thing and the fix."""


class Contents(msgspec.Struct, forbid_unknown_fields=True):
    """What a back-up holds."""

    engine: str
    at: str
    tenants: list[str]


def begin(folder: Path) -> None:
    """Make the folder; BackupError when something is in it, as an old back-up is not to be mixed with a new one."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty: name a new folder.")


def finish(folder: Path, engine: Engine, tenants: list[str]) -> None:
    """Write the list: from now on the back-up is whole."""
    contents = Contents(engine, rfc3339(time.time()), tenants)
    (folder / _LIST).write_bytes(msgspec.json.format(msgspec.json.encode(contents)))


def listed(folder: Path, engine: Engine, present: list[str]) -> list[str]:
    """Return the tenants of a whole back-up; BackupError when it is none, of another engine, or they exist already."""
    try:
        contents = msgspec.json.decode((folder / _LIST).read_bytes(), type=Contents)
    except (OSError, msgspec.MsgspecError) as error:
        raise BackupError(f"{folder} holds no whole back-up ({_LIST} is missing or broken): name another.") from error
    if contents.engine != engine:
        raise BackupError(f"{folder} is of {contents.engine}: restore it there, or set API_DATABASE_URL accordingly.")
    if both := sorted({*contents.tenants} & {*present}):
        raise BackupError(f"{', '.join(both)} exist: a restore replaces nothing; move them away, or use other data.")
    return contents.tenants
