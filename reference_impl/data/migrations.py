"""Migrations: ordered SQL files, each applied once in one transaction; an applied one may not change."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from reference_impl.clock import rfc3339

FOLDER = Path(__file__).parent.parent / "migrations"
_NAME = re.compile(r"([0-9]{4})_[a-z_]+\.sql")
_TABLE = (
    "CREATE TABLE IF NOT EXISTS schema_migrations "
    "(version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL)"
)


class MigrationError(Exception):
    """The files and the database disagree; the message names the migration and the fix."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, name, text and the SHA-256 of the text."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read(folder: Path = FOLDER) -> list[Migration]:
    """Return the migrations of a folder in order; MigrationError when numbers are not 1, 2, 3 and so on."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path.name} is no migration's name: write it as 0001_words.sql.")
        found.append(Migration(int(match[1]), path.name, path.read_text(encoding="utf-8")))
    versions = [migration.version for migration in found]
    if versions != list(range(1, len(found) + 1)):
        raise MigrationError(f"The migrations are numbered {versions}: number them 1, 2, 3 without a gap.")
    return found


def apply(connection: sqlite3.Connection, migrations: list[Migration]) -> list[str]:
    """Bring a database up to date and return the names applied; MigrationError when it cannot be."""
    connection.execute(_TABLE)
    done = connection.execute("SELECT version, name, checksum FROM schema_migrations ORDER BY version").fetchall()
    _hold_against(done, migrations)
    applied = []
    for migration in migrations[len(done) :]:
        _apply_one(connection, migration)
        applied.append(migration.name)
    return applied


def _hold_against(done: list[tuple[int, str, str]], migrations: list[Migration]) -> None:
    if len(done) > len(migrations):
        raise MigrationError(f"{done[-1][1]} was applied and its file is gone: start the version that has it.")
    for (_, name, checksum), migration in zip(done, migrations, strict=False):
        if checksum != migration.checksum or name != migration.name:
            raise MigrationError(
                f"{name} was applied with checksum {checksum[:12]} and {migration.name} now has "
                f"{migration.checksum[:12]}: restore the old text and write a new migration."
            )


def _apply_one(connection: sqlite3.Connection, migration: Migration) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in statements(migration.text):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
            (migration.version, migration.name, migration.checksum, rfc3339(time.time())),
        )
    except sqlite3.Error as error:
        connection.execute("ROLLBACK")
        raise MigrationError(f"{migration.name} failed and was rolled back: {error}") from error
    connection.execute("COMMIT")


def statements(text: str) -> list[str]:
    """Split a file at the semicolons that end a statement."""
    found: list[str] = []
    pending = ""
    for part in re.split(r"(?<=;)", text):
        pending += part
        if sqlite3.complete_statement(pending):
            found.append(pending.strip())
            pending = ""
    if pending.strip():
        raise MigrationError(f"A statement has no end: {pending.strip()[:60]!r}. End it with a semicolon.")
    return found
