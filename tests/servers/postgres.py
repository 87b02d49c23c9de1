"""A PostgreSQL of the tests' own: Debian's binaries, a temporary folder, a free port, a user without privileges."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTING_S = 30.0
_UNPRIVILEGED = ("postgres", "nobody")
# Making the tables of alpha and beta again would take longer; other tenants are gone.
_EMPTY = r"""
DO $$
DECLARE found record;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR found IN SELECT nspname FROM pg_namespace
    WHERE nspname LIKE 'tenant\_%' AND nspname NOT IN ('tenant_alpha', 'tenant_beta')
  LOOP EXECUTE format('DROP SCHEMA %I CASCADE', found.nspname); END LOOP;
  FOR found IN SELECT schemaname, tablename FROM pg_tables
    WHERE schemaname LIKE 'tenant\_%' AND tablename <> 'schema_migrations'
  LOOP EXECUTE format('DELETE FROM %I.%I', found.schemaname, found.tablename); END LOOP;
  FOR found IN SELECT schemaname, sequencename FROM pg_sequences WHERE schemaname LIKE 'tenant\_%'
  LOOP EXECUTE format('ALTER SEQUENCE %I.%I RESTART', found.schemaname, found.sequencename); END LOOP;
END $$
"""
_OPTIONS = (
    "-c",
    "max_connections=200",
    "-c",
    "listen_addresses=127.0.0.1",
    "-c",
    "log_statement=none",
)


def found_binaries() -> Path | None:
    """The folder that has `initdb` and `postgres`, newest version first."""
    folders = [Path(part) for part in os.environ.get("PATH", "").split(os.pathsep) if part]
    if told := shutil.which("pg_config"):
        folders.append(
            Path(subprocess.run([told, "--bindir"], capture_output=True, check=True, text=True).stdout.strip())
        )
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next(
        (folder for folder in folders if (folder / "initdb").is_file() and (folder / "postgres").is_file()), None
    )


def unprivileged() -> str | None:
    """The user that runs the server where the tests run as root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _UNPRIVILEGED if name in known)


class Cluster:
    """One server and its data; it keeps its port when it is killed and started again."""

    def __init__(self, binaries: Path, folder: Path, port: int, *, durable: bool = False) -> None:
        self._binaries = binaries
        self._durable = durable
        self._data = folder / "data"
        self._log = folder / "log"
        self._port = port
        self._user = unprivileged()
        self._server: subprocess.Popen[bytes] | None = None
        if self._user is not None:
            folder.chmod(0o711)
            self._data.mkdir()
            shutil.chown(self._data, self._user)

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://harness@127.0.0.1:{self._port}/{database}"

    def empty(self, database: str) -> str:
        """The address of a database whose tenants, if a test before left some, have no row."""
        asyncio.run(self._empty(database))
        return self.url(database)

    async def _empty(self, database: str) -> None:
        connection = await asyncpg.connect(self.url())
        try:
            if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database) is None:
                await connection.execute(f'CREATE DATABASE "{database}"')
                return
        finally:
            await connection.close()
        connection = await asyncpg.connect(self.url(database))
        try:
            await connection.execute(_EMPTY)
        finally:
            await connection.close()

    def prepare(self) -> None:
        """Make its data."""
        options = ("-U", "harness", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "-N")
        command = [str(self._binaries / "initdb"), "-D", str(self._data), *options]
        made = subprocess.run(command, capture_output=True, check=False, text=True, **self._as_user())  # type: ignore[call-overload]  # options by name
        assert made.returncode == 0, made.stdout + made.stderr

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        command = [str(self._binaries / "postgres"), "-D", str(self._data), "-p", str(self._port), "-k", "", *_OPTIONS]
        # Tests keep nothing, so nothing is forced to the disk; what is killed is the process and not the machine.
        command += ["-c", f"fsync={'on' if self._durable else 'off'}"]
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log, **self._as_user())  # type: ignore[call-overload]  # same
        deadline = time.monotonic() + STARTING_S
        while not self._ready():
            assert self._server.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as a power cut does to a process: no child and no connection is told."""
        for process in self._processes():
            _signal(process, signal.SIGKILL)
        if self._server is not None:
            self._server.wait()

    def stop(self) -> None:
        """End it so that it takes its shared memory with it."""
        self.resume()
        if self._server is not None:
            _signal(self._server.pid, signal.SIGQUIT)
            try:
                self._server.wait(STARTING_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def restart(self) -> None:
        """End and start it as `pg_ctl restart` does: every connection is told, what was open is undone."""
        assert self._server is not None
        _signal(self._server.pid, signal.SIGINT)
        self._server.wait(STARTING_S)
        self.start()

    def pause(self) -> None:
        """Stop every process of it; connections stay open and silent."""
        for process in self._processes():
            _signal(process, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        for process in self._processes():
            _signal(process, signal.SIGCONT)

    def _processes(self) -> list[int]:
        if self._server is None:
            return []
        parent = self._server.pid
        _signal(parent, signal.SIGSTOP)  # so that no further child comes
        children = Path(f"/proc/{parent}/task/{parent}/children")
        return [parent, *(map(int, children.read_text().split()) if children.exists() else ())]

    def _ready(self) -> bool:
        """What pg_ctl goes by: the server's own file says that it is this process and that it is ready."""
        told = self._data / "postmaster.pid"
        lines = (told.read_text() if told.exists() else "").split() or [""]
        return self._server is not None and lines[0] == str(self._server.pid) and lines[-1] == "ready"

    def _as_user(self) -> dict[str, object]:
        if self._user is None:
            return {}
        return {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": [], "cwd": "/"}


def _signal(process: int, number: signal.Signals) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:  # a child that ended by itself
        return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def started(*, durable: bool = False) -> Iterator[Cluster]:
    """Yield a running cluster that is gone afterwards; skipped, with the reason, where PostgreSQL is not installed.

    With `durable` a commit reaches the disk, as a deployment's does.
    """
    binaries = found_binaries()
    if binaries is None:
        pytest.skip(
            "PostgreSQL's initdb and postgres are in none of PATH, pg_config --bindir, /usr/lib/postgresql/*/bin"
        )
    folder = Path(tempfile.mkdtemp(prefix="cluster-"))
    cluster = Cluster(binaries, folder, _free_port(), durable=durable)
    try:
        cluster.prepare()
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """One server for all tests of a process; each test has tenants of its own there."""
    yield from started()


@pytest.fixture
def own_postgres() -> Iterator[Cluster]:
    """A server for one test, which may kill and pause it."""
    yield from started()
