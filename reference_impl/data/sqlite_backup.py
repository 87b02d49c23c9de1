"""Back-ups of SQLite files, made by SQLite itself while they are written to."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from functools import partial
from typing import TYPE_CHECKING

from reference_impl.data import migrations
from reference_impl.data.backup import BackupError
from reference_impl.data.sqlite import alone, connect

if TYPE_CHECKING:
    from pathlib import Path

    from reference_impl.data.migrations import Migration


def copy(source: Path, target: Path, synchronous: str) -> None:
    """Copy a database as it is at one moment."""
    with contextlib.closing(connect(source, synchronous)) as reading, contextlib.closing(sqlite3.connect(target)) as to:
        reading.backup(to)


def put_back(source: Path, target: Path, files: list[Migration], synchronous: str) -> None:
    """Copy a back-up to where a tenant's file belongs; BackupError when it is damaged, MigrationError when unknown."""
    part = target.with_suffix(".part")
    part.unlink(missing_ok=True)
    try:
        copy(source, part, synchronous)
        with contextlib.closing(connect(part, synchronous)) as connection:
            if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BackupError(f"{source.name} is damaged: use another back-up.")
            alone(connection, partial(migrations.applied, files))
        os.link(part, target)  # fails where another process was faster
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"{source.name} cannot be restored: {error}") from error
    finally:
        part.unlink(missing_ok=True)
