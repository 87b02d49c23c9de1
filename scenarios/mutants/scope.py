"""Where mutants are made: the modules of the reference API that handle requests of the target that is verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import UsageError
from scenarios.mutants.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PACKAGE = "reference_impl"
HANDLING = (
    *("procedures", "edge", "identity", "data", "stores", "objects"),
    *("application.py", "errors.py", "price.py", "pictures.py", "contract/procedure.py"),
    *("contract/fields.py", "contract/reading.py", "contract/strictness.py", "contract/upload.py"),
)
# Of those, what the target of harness.toml does not run, or what no operation of its document leads to.
LEFT_OUT = {
    "data/postgres.py": "another engine",
    "data/postgres_backup.py": "another engine",
    "data/postgres_pool.py": "another engine",
    "data/postgres_tenants.py": "another engine",
    "data/dialect.py": "another engine",
    "data/backup.py": "a command",
    "data/names.py": "a command",
    "data/sqlite_backup.py": "a command",
    "data/sqlite_restore.py": "a command",
    "data/migrations.py": "runs before the target serves",
    "stores/redis": "another store",
    "objects/s3.py": "another store",
    "objects/signature.py": "another store",
    "identity/provider.py": "no login provider is set",
    "identity/id_token.py": "no login provider is set",
    "procedures/oauth.py": "no login provider is set",
    "procedures/oauth_writes.py": "no login provider is set",
    "edge/docs.py": "a page for people",
    "edge/metrics.py": "a page for operators",
    "edge/request_log.py": "the log",
    "edge/stream.py": "no promise is about events",
    "procedures/streams.py": "no promise is about events",
    "data/cancelled.py": "no promise is about events",
    "stores/bus.py": "no promise is about events",
    "stores/memory/bus.py": "no promise is about events",
    "procedures/tickets.py": "they open sockets",
}


def sources(root: Path, only: Sequence[str] = ()) -> list[Source]:
    """The files to mutate, in order of their paths: the usual ones, or those that `only` names, files or folders.

    Raises UsageError for a name with no Python file of the reference API under it.
    """
    package = root / PACKAGE
    wanted = [root / name for name in only] or [package / name for name in HANDLING]
    found: set[Path] = set()
    problems = []
    for place in wanted:
        files = [place] if place.is_file() else sorted(place.rglob("*.py"))
        own = {file for file in files if file.suffix == ".py" and file.resolve().is_relative_to(package.resolve())}
        problems += [] if own else [f"{place.relative_to(root)} has no Python file of {PACKAGE}/"]
        found |= own
    if problems:
        raise UsageError("nothing to mutate; name files or folders from the project's root", problems)
    kept = found if only else {file for file in found if not _left_out(file, package)}
    return [Source(file.relative_to(root).as_posix(), file.read_text("utf-8")) for file in sorted(kept)]


def _left_out(file: Path, package: Path) -> bool:
    return any(file == package / name or file.is_relative_to(package / name) for name in LEFT_OUT)
