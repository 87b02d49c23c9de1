"""What every back-up has: a folder of its owner's alone that counts once its list is written, with a digest a file."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from reference_impl.clock import rfc3339
from reference_impl.settings.reader import TENANT_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from reference_impl.data.migrations import Engine

_LIST = "backup.json"
# Rows hold hashes of passwords, e-mails, orders: they are nobody else's to read.
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600


class BackupError(Exception):
    """A back-up cannot be made or restored; the message names the thing and the fix."""


class Contents(msgspec.Struct, forbid_unknown_fields=True):
    """What a back-up holds; `files` are paths below its folder, with the SHA-256 that each was written with, in hex."""

    engine: str
    at: str
    tenants: list[str]
    files: dict[str, str]


def begin(folder: Path) -> None:
    """Make the folder; BackupError when something is in it, as an old back-up is not to be mixed with a new one."""
    try:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BackupError(f"{folder} is not empty: name a new folder.")
        folder.chmod(_FOLDER_MODE)
    except OSError as error:
        raise BackupError(f"{folder} cannot be written ({error.strerror}): name another folder.") from error


def some(tenants: list[str]) -> list[str]:
    """Return the tenants to back up; BackupError when there is none, as other data were meant."""
    if not tenants:
        raise BackupError("There is no tenant to back up: correct API_DATA or API_DATABASE_URL.")
    return tenants


def new_file(path: Path) -> BinaryIO:
    """Open a file of a back-up to write it; it was not there before."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE), "wb")


def finish(folder: Path, engine: Engine, tenants: list[str]) -> None:
    """Write the list, once all that it names is on the disk: from now on the back-up is whole."""
    inside = sorted(folder.rglob("*"))
    files = {path.relative_to(folder).as_posix(): _digest(path) for path in inside if path.is_file()}
    for path in (*inside, folder):
        forced(path)
    part = folder / f"{_LIST}.part"
    with new_file(part) as file:
        file.write(msgspec.json.format(msgspec.json.encode(Contents(engine, rfc3339(time.time()), tenants, files))))
    forced(part)
    part.rename(folder / _LIST)
    forced(folder)
    forced(folder.absolute().parent)


def forced(path: Path) -> None:
    """Return when a file, or the names in a folder, would survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def identity(folder: Path) -> str:
    """Return the SHA-256 of a back-up's list, in hex, by which it is known again; empty where there is none."""
    try:
        return _digest(folder / _LIST)
    except OSError:
        return ""


def listed(folder: Path, engine: Engine, present: list[str]) -> list[str]:
    """Return the tenants of a whole back-up, every file of which is as it was written.

    BackupError when it is none, when it is of another engine, or when tenants of it exist already.
    """
    try:
        contents = msgspec.json.decode((folder / _LIST).read_bytes(), type=Contents)
    except (OSError, msgspec.MsgspecError) as error:
        raise BackupError(f"{folder} holds no whole back-up ({_LIST} is missing or broken): name another.") from error
    if contents.engine != engine:
        raise BackupError(f"{folder} is of {contents.engine}: restore it there, or set API_DATABASE_URL accordingly.")
    if strange := [name for name in contents.tenants if not TENANT_NAME.fullmatch(name)]:
        raise BackupError(f"{_LIST} names {strange[0]!r}, which is no tenant's name: use another back-up.")
    if both := sorted({*contents.tenants} & {*present}):
        raise BackupError(f"{', '.join(both)} exist: a restore replaces nothing; move them away, or use other data.")
    for name, digest in contents.files.items():
        _hold(folder / name, digest)
    return contents.tenants


def _hold(path: Path, digest: str) -> None:
    try:
        same = _digest(path) == digest
    except OSError as error:
        raise BackupError(
            f"{path} cannot be read ({error.strerror}): bring it back, or use another back-up."
        ) from error
    if not same:
        raise BackupError(f"{path} is not as it was written, its SHA-256 differs: use another back-up.")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
