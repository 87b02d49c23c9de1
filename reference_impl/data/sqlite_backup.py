"""Back-ups of SQLite files, made by SQLite itself while they are written to."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from functools import partial
from typing import TYPE_CHECKING

from reference_impl.data import migrations
from reference_impl.data.backup import BackupError, forced, new_file
from reference_impl.data.sqlite import alone, connect

if TYPE_CHECKING:
    from pathlib import Path

    from reference_impl.data.migrations import Migration

# What SQLite keeps beside a file while it is open, or after a kill; of another file it would be played into this one.
_BESIDE = ("-wal", "-shm", "-journal")


def copy(source: Path, target: Path, synchronous: str) -> None:
    """Copy a database as it is at one moment into a new file; BackupError when it cannot be read."""
    new_file(target).close()
    try:
        with (
            contextlib.closing(connect(source, synchronous)) as reading,
            contextlib.closing(sqlite3.connect(target)) as to,
        ):
            reading.backup(to)
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be backed up ({error}): mend it, or move it away.") from error


def put_back(copies: dict[Path, Path], files: list[Migration], synchronous: str) -> None:
    """Copy back-ups to where tenants' files belong, all of them or none; BackupError when one cannot be.

    Each is made whole beside its place first. MigrationError when one has other migrations than `files`.
    """
    parts = {target: target.with_suffix(".part") for target in copies.values()}
    made: list[Path] = []
    try:
        for source, target in copies.items():
            _copied(source, target, parts[target])
            _judged(source, parts[target], files, synchronous)
        for target, part in parts.items():
            _placed(part, target)
            made.append(target)
        for folder in {target.parent for target in made}:
            forced(folder)
    except BaseException:
        for target in made:
            target.unlink()
        raise
    finally:
        for part in parts.values():
            _removed(part)


def _copied(source: Path, target: Path, part: Path) -> None:
    for end in _BESIDE:
        if (left := target.with_name(target.name + end)).exists():
            raise BackupError(f"{left} was left by another {target.name}: move it away, to where that file is.")
    _removed(part)
    try:
        shutil.copyfile(source, part)
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


def _placed(part: Path, target: Path) -> None:
    try:
        os.link(part, target)  # fails where another process was faster
    except OSError as error:
        raise BackupError(f"{target} cannot be made ({error.strerror}): move it away, or use other data.") from error


def _removed(part: Path) -> None:
    for name in (part.name, *(part.name + end for end in _BESIDE)):
        part.with_name(name).unlink(missing_ok=True)
