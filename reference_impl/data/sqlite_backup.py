"""Back-ups of SQLite files, made by SQLite itself while they are written to."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from reference_impl.data.backup import BackupError, new_file
from reference_impl.data.sqlite_file import connect

if TYPE_CHECKING:
    from pathlib import Path


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
