"""Restores SQLite files, all of them or none; one that was killed midway is finished by the next of the same back-up.

Every file is made whole and judged beside its place. Then a journal says which are to be placed, they are, what was
beside them goes, and last the journal.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from reference_impl.data import migrations
from reference_impl.data.backup import BackupError, forced, identity
from reference_impl.data.sqlite_file import alone, connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reference_impl.data.migrations import Migration

JOURNAL = "restore.json"
# What SQLite keeps beside a file while it is open, or after a kill; of another file it would be played into this one.
_BESIDE = ("-wal", "-shm", "-journal")


class Journal(msgspec.Struct, forbid_unknown_fields=True):
    """A restore whose files are being placed: of which back-up, and their names."""

    identity: str
    files: list[str]


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a folder, made if it is not there, to one restore; a process that is killed lets go of it."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupError(f"Another restore works in {folder}: wait for its end.") from error
        try:
            yield
        finally:
            if not any(folder.iterdir()):
                folder.rmdir()
    finally:
        os.close(descriptor)


def placed(source: Path, folder: Path) -> set[str]:
    """Return the files that a restore of this back-up placed before it was killed; BackupError if it was of another."""
    try:
        journal = _read(folder)
    except FileNotFoundError:
        return set()
    except (OSError, msgspec.MsgspecError) as error:
        raise BackupError(f"{folder / JOURNAL} cannot be read: move it away, and what was restored.") from error
    found = {name for name in journal.files if _is_placed(folder / name)}
    if found and journal.identity != identity(source):
        raise BackupError(
            f"A restore of another back-up was cut short when {', '.join(sorted(found))} was placed: "
            f"repeat that one first, or move {folder} away."
        )
    return found


def put_back(source: Path, folder: Path, names: list[str], files: list[Migration], synchronous: str) -> None:
    """Copy files of a back-up into a folder, all of them or none; BackupError when one cannot be.

    MigrationError when one has other migrations than `files`.
    """
    targets = [folder / name for name in names]
    made: list[Path] = []
    try:
        for target in targets:
            _copied(source / target.name, target)
            _judged(source / target.name, _part(target), files, synchronous)
        _begin(source, folder, names)
        for target in targets:
            _link(target)
            made.append(target)
        forced(folder)
    except BaseException:
        for target in made:
            target.unlink()
        if not placed(source, folder):
            (folder / JOURNAL).unlink(missing_ok=True)
        raise
    finally:
        for target in targets:
            _removed(_part(target))
    _end(folder)


def _read(folder: Path) -> Journal:
    return msgspec.json.decode((folder / JOURNAL).read_bytes(), type=Journal)


def _part(target: Path) -> Path:
    return target.with_suffix(".part")


def _is_placed(target: Path) -> bool:
    """Whether it stands there by a restore, and not by somebody who made that tenant since."""
    part = _part(target)
    return target.exists() and (not part.exists() or part.samefile(target))


def _begin(source: Path, folder: Path, names: list[str]) -> None:
    """Say what is to be placed, beside what was before a kill."""
    part = folder / f"{JOURNAL}.part"
    part.write_bytes(msgspec.json.encode(Journal(identity(source), sorted({*names, *placed(source, folder)}))))
    forced(part)
    part.rename(folder / JOURNAL)
    forced(folder)


def _end(folder: Path) -> None:
    """Forget the journal, and what a killed restore left beside the files it had placed."""
    for name in _read(folder).files:
        _removed(_part(folder / name))
    (folder / JOURNAL).unlink()
    forced(folder)


def _copied(source: Path, target: Path) -> None:
    for end in _BESIDE:
        if (left := target.with_name(target.name + end)).exists():
            raise BackupError(f"{left} was left by another {target.name}: move it away, to where that file is.")
    _removed(_part(target))
    try:
        shutil.copyfile(source, _part(target))
    except OSError as error:
        raise BackupError(f"{source.name} cannot be restored ({error.strerror}): use another back-up.") from error


def _judged(source: Path, part: Path, files: list[Migration], synchronous: str) -> None:
    try:
        with contextlib.closing(connect(part, synchronous)) as connection:
            if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BackupError(f"{source.name} is damaged: use another back-up.")
            alone(connection, partial(migrations.applied, files))
    except sqlite3.Error as error:
        raise BackupError(f"{source.name} cannot be restored ({error}): use another back-up.") from error
    forced(part)


def _link(target: Path) -> None:
    try:
        os.link(_part(target), target)  # fails where another process was faster
    except OSError as error:
        raise BackupError(f"{target} cannot be made ({error.strerror}): move it away, or use other data.") from error


def _removed(part: Path) -> None:
    for name in (part.name, *(part.name + end for end in _BESIDE)):
        part.with_name(name).unlink(missing_ok=True)
