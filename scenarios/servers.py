"""The reference API with PostgreSQL and Redis of its own, as one command: what a bare machine needs to verify it so.

    python -m scenarios.servers --port 8000 --workers 2 --tenants alpha,beta

Debian's packages postgresql and redis-server are enough. Their data is in a new folder, below `--data FOLDER` where
that is told, and ends with the command.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ADMIN = "admin@example.test"
WRONG_USE = 2
_START_S = 30.0
_STOP_S = 20.0
# The data is thrown away, so nothing is forced to the disk.
_POSTGRES = ("-c", "fsync=off", "-c", "max_connections=200", "-c", "listen_addresses=127.0.0.1")
_REDIS = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always")


def main() -> None:
    """Start all three, serve until SIGTERM or Ctrl-C, end all three."""
    options = parser().parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(thrown_away(options.data)))
        database_url = stack.enter_context(postgres(folder))
        redis_url = stack.enter_context(redis(folder))
        environment = {**os.environ, "API_DATABASE_URL": database_url, "API_REDIS_URL": redis_url}
        api = [sys.executable, "-m", "reference_impl"]
        set_up = [*api, "set-up", "--tenants", options.tenants, "--admin-email", ADMIN]
        subprocess.run(set_up, env=environment, check=True)  # noqa: S603 - our own words
        words = ["--port", str(options.port), "--workers", str(options.workers)]
        if options.planted:
            served = [sys.executable, "-m", "reference_impl.defects", "serve", options.planted, *words]
        else:
            served = [*api, "serve", *words]
        code = stack.enter_context(running(served, signal.SIGTERM, env=environment)).wait()
    raise SystemExit(code)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    options = argparse.ArgumentParser("scenarios.servers", description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--data", type=Path, help="an existing folder, for what has to go also after a kill")
    options.add_argument("--port", type=int, default=8000)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--tenants", default="alpha", help="names between commas")
    options.add_argument("--planted", default="", metavar="ID", help="a defect of reference_impl.defects to serve with")
    return options


def thrown_away(parent: Path | None) -> tempfile.TemporaryDirectory[str]:
    """Make a folder that ends with the command; PostgreSQL's user may go through to it."""
    if parent is not None and os.geteuid() == 0:
        parent.chmod(0o711)
    return tempfile.TemporaryDirectory(prefix="servers-", dir=parent, ignore_cleanup_errors=True)


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a new cluster under the folder and give its address."""
    binaries = found("postgres", "initdb", folders=sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))
    user = unprivileged()
    data, port = folder / "postgres", free_port()
    data.mkdir()
    if user:
        folder.chmod(0o711)  # it may go through, and see its own
        shutil.chown(data, user)
    as_user: dict[str, Any] = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
    made = [binaries["initdb"], "-D", str(data), "-U", "api", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "-N"]
    subprocess.run(made, check=True, cwd="/", stdout=subprocess.DEVNULL, **as_user)  # noqa: S603 - our own words
    command = [binaries["postgres"], "-D", str(data), "-p", str(port), "-k", "", *_POSTGRES]
    with running(command, signal.SIGQUIT, cwd="/", stderr=subprocess.DEVNULL, **as_user) as server:
        await_start(server, "PostgreSQL", lambda: ready(data / "postmaster.pid", server.pid))
        yield f"postgresql://api@127.0.0.1:{port}/postgres"


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run a Redis under the folder and give its address; it has each change on file before it answers."""
    binary = found("redis-server")["redis-server"]
    data, port = folder / "redis", free_port()
    data.mkdir()
    command = [binary, "--port", str(port), "--dir", str(data), *_REDIS]
    with running(command, signal.SIGTERM, stdout=subprocess.DEVNULL) as server:
        await_start(server, "Redis", lambda: answers(port))
        yield f"redis://127.0.0.1:{port}/0"


@contextlib.contextmanager
def running(command: Sequence[str], end: signal.Signals, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command and end it by its own signal, by force when it does not heed it."""
    process = subprocess.Popen(command, **options)  # noqa: S603 - our own words
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(end)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def found(*names: str, folders: Sequence[Path] = ()) -> dict[str, str]:
    """Return where programs are; the command ends, naming the package, when one is missing."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, folders)])
    at = {
        name: shutil.which(name, path=path) or stop(f"There is no {name}: install Debian's package for it.")
        for name in names
    }
    return dict(at)


def unprivileged() -> str:
    """Return the user that PostgreSQL runs as where this runs as root, whom it refuses; empty otherwise."""
    if os.geteuid() != 0:
        return ""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def await_start(server: subprocess.Popen[bytes], name: str, is_up: Callable[[], bool]) -> None:
    """Wait until a server is up; the command ends when it is not in time."""
    deadline = time.monotonic() + _START_S
    while not is_up():
        if server.poll() is not None or time.monotonic() > deadline:
            stop(f"{name} did not start (it ended with {server.poll()}): run it by hand to see why.")
        time.sleep(0.01)


def ready(told: Path, process: int) -> bool:
    """Say whether a cluster's own file tells that this process takes connections."""
    try:
        lines = told.read_text(encoding="utf-8").split()
    except OSError:
        return False
    return bool(lines) and lines[0] == str(process) and lines[-1] == "ready"


def answers(port: int) -> bool:
    """Say whether a Redis answers on the port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stop(message: str) -> NoReturn:
    """End with the code for wrong use."""
    sys.stderr.write(message + "\n")
    raise SystemExit(WRONG_USE)


def _end(number: int, _frame: object) -> NoReturn:
    for further in (signal.SIGTERM, signal.SIGINT):  # the end is under way
        signal.signal(further, signal.SIG_IGN)
    raise SystemExit(0 if number == signal.SIGTERM else 130)


if __name__ == "__main__":
    main()
