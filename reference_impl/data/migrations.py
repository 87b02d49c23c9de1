"""Migrations: ordered SQL files, each applied once in one transaction; an applied one may not change.

`0004_words.sql` serves both engines, `0004_words.sqlite.sql` and `0004_words.postgresql.sql` one each. The way back
stands beside it with `.down` before `.sql`; a migration that has none says so in its first line: `-- No way back: why`.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reference_impl.clock import rfc3339
from reference_impl.data.database import DatabaseError, Row, Statement, Transaction

if TYPE_CHECKING:
    from collections.abc import Generator

Engine = Literal["sqlite", "postgresql"]
FOLDER = Path(__file__).parent.parent / "migrations"
TABLE = (
    "CREATE TABLE IF NOT EXISTS schema_migrations "
    "(version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL)"
)
COUNT = "SELECT COUNT(*) FROM schema_migrations"
_NAME = re.compile(r"([0-9]{4})_[a-z_]+(?:\.(sqlite|postgresql))?(\.down)?\.sql")
DONE = "SELECT version, name, checksum FROM schema_migrations ORDER BY version"
_RECORD = "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)"
_FORGET = "DELETE FROM schema_migrations WHERE version = ?"
# PostgreSQL's triggers have their body elsewhere; those of SQLite end with END.
_NO_BODY = re.compile(r"EXECUTE FUNCTION \w+\(\);$")
_NO_WAY_BACK = "-- no way back"


class MigrationError(Exception):
    """The files and the database disagree; the message names the migration and the fix."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, name, text and the text of its way back, empty where it has none."""

    version: int
    name: str
    text: str
    down: str = ""

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read(folder: Path = FOLDER, engine: Engine = "sqlite") -> list[Migration]:
    """Return an engine's migrations in order; MigrationError when the files are not 1, 2, 3 and so on, each once."""
    found: dict[int, dict[bool, Path]] = {}
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path.name} is no migration's name: write it as 0001_words.sql.")
        if match[2] not in (None, engine):
            continue
        files = found.setdefault(int(match[1]), {})
        if (other := files.setdefault(bool(match[3]), path)) is not path:
            raise MigrationError(f"{other.name} and {path.name} have one number: keep one of them for {engine}.")
    versions = sorted(found)
    if versions != list(range(1, len(found) + 1)):
        raise MigrationError(f"The migrations are numbered {versions}: number them 1, 2, 3 without a gap.")
    return [_migration(version, found[version]) for version in versions]


def _migration(version: int, files: dict[bool, Path]) -> Migration:
    path = files.get(False)
    if path is None:
        raise MigrationError(f"{files[True].name} leads back from nothing: write the migration it undoes.")
    text = path.read_text(encoding="utf-8")
    down = files[True].read_text(encoding="utf-8") if True in files else ""
    if bool(down) == text.lower().startswith(_NO_WAY_BACK):
        raise MigrationError(
            f"{path.name} must have its way back beside it, with .down before .sql, "
            "or say in its first line `-- No way back: why`, and not both."
        )
    return Migration(version, path.name, text, down)


def applied(files: list[Migration], *first: Statement) -> Transaction[int]:
    """Return how many are applied; MigrationError when they are not what the files say."""
    return len((yield from _begun(first, files)))


def up(migration: Migration, files: list[Migration], *first: Statement) -> Transaction[bool]:
    """Apply one migration unless it was; `first` keeps other processes from doing the same at once."""
    done = yield from _begun(first, files)
    if len(done) >= migration.version:
        return False
    yield from _execute(migration, migration.text)
    values = (migration.version, migration.name, migration.checksum, rfc3339(time.time()))
    yield Statement(_RECORD, values)
    return True


def down(files: list[Migration], *first: Statement) -> Transaction[str]:
    """Undo the newest applied migration and return its name; empty when none is applied."""
    done = yield from _begun(first, files)
    if not done:
        return ""
    newest = files[len(done) - 1]
    if not newest.down:
        raise MigrationError(f"{newest.name} has no way back: restore a back-up from before it.")
    yield from _execute(newest, newest.down)
    yield Statement(_FORGET, (newest.version,))
    return newest.name


def _begun(first: tuple[Statement, ...], files: list[Migration]) -> Transaction[list[Row]]:
    for statement in first:  # noqa: UP028 - a tuple takes no rows
        yield statement
    done = yield Statement(DONE)
    hold_against(done, files)
    return done


def hold_against(done: list[Row], files: list[Migration]) -> None:
    """MigrationError unless what was applied (version, name, checksum) are the first of the files."""
    if len(done) > len(files):
        raise MigrationError(f"{done[-1][1]} was applied and its file is gone: start the version that has it.")
    for (_, name, checksum), migration in zip(done, files, strict=False):
        if checksum != migration.checksum or name != migration.name:
            raise MigrationError(
                f"{name} was applied with checksum {checksum[:12]} and {migration.name} now has "
                f"{migration.checksum[:12]}: restore the old text and write a new migration."
            )


def _execute(migration: Migration, text: str) -> Generator[Statement, list[Row], None]:
    for statement in statements(text):
        try:
            yield Statement(statement)
        except DatabaseError as error:
            raise MigrationError(f"{migration.name} failed and was rolled back: {error}") from error


def statements(text: str) -> list[str]:
    """Split a file at the semicolons that end a statement: in no quotes, no trigger's body and not between `$$`."""
    found: list[str] = []
    pending = ""
    for part in re.split(r"(?<=;)", text):
        pending += part
        if pending.count("$$") % 2 == 0 and (sqlite3.complete_statement(pending) or _NO_BODY.search(pending)):
            found.append(pending.strip())
            pending = ""
    if re.sub(r"--[^\n]*", "", pending).strip():
        raise MigrationError(f"A statement has no end: {pending.strip()[:60]!r}. End it with a semicolon.")
    return found
