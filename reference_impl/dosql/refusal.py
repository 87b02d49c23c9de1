"""What SQLite refuses, in the project's categories; the text of the statement stays where it was."""

from __future__ import annotations

import sqlite3

from reference_impl.errors import ApiError, Code

_GONE = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_NOMEM")
_BY_NAME: tuple[tuple[tuple[str, ...], Code, str], ...] = (
    (("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"), "CONFLICT", "It exists already."),
    (("SQLITE_CONSTRAINT_FOREIGNKEY",), "INVALID_REFERENCE", "It names something that is not there."),
    (("SQLITE_CONSTRAINT", "SQLITE_MISMATCH"), "VALIDATION_ERROR", "A constraint of the table refuses a value."),
    (("SQLITE_INTERRUPT",), "TIMEOUT", "The statement took too long; nothing of it is kept."),
    (("SQLITE_BUSY", "SQLITE_LOCKED"), "UNAVAILABLE", "Another writer holds the database."),
    (("SQLITE_TOOBIG",), "VALIDATION_ERROR", "A value is longer than the service keeps."),
    (("SQLITE_READONLY",), "VALIDATION_ERROR", "A query may not write: use run."),
    (("SQLITE_AUTH",), "VALIDATION_ERROR", "The statement is not one that the service runs."),
    (_GONE, "UNAVAILABLE", "The database does not answer."),
)  # fmt: skip
_RETRY = ((b"retry-after", b"1"),)


class Refused(sqlite3.Error):
    """A rule of the service that SQLite has not; the text is for the client."""


def refusal(error: sqlite3.Error, position: int | None = None) -> ApiError:
    """Return what the client is told: a code that says whether to try again, and the step of a transaction."""
    where = "" if position is None else f"operations[{position}]: "
    if isinstance(error, Refused):
        return ApiError("VALIDATION_ERROR", f"{where}{error}")
    name = getattr(error, "sqlite_errorname", "")
    for prefixes, code, says in _BY_NAME:
        if name.startswith(prefixes):
            return ApiError(code, f"{where}{says}", headers=_RETRY if code == "UNAVAILABLE" else ())
    return ApiError("VALIDATION_ERROR", f"{where}The statement or its parameters do not fit: SQLite cannot run it.")
