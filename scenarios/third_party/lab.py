"""What the labs of this folder share: an API installed apart, served on loopback, and the harness run on it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import TargetError
from harness.targets import reachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

START_S = 60.0
STOP_S = 10.0
CALL_S = 30.0
POLL_S = 0.2
FINDINGS, HOLDS = 1, 0


@dataclass(frozen=True, slots=True)
class Run:
    """How a run of the harness ended: its exit code, and its findings as code and operation where that is FINDINGS."""

    code: int
    findings: frozenset[tuple[str, str]]


def install(folder: Path, package: str, constraints: Path, *, without: Sequence[str] = ()) -> None:
    """A virtual environment with a package at its pinned versions; what is named in `without` is taken out again."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)  # noqa: S603 - our own words
    pip = [str(folder / "bin" / "python"), "-m", "pip"]
    own = {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}
    subprocess.run([*pip, "install", "-q", package, "-c", str(constraints)], check=True, env=own)  # noqa: S603 - same
    for name in without:
        subprocess.run([*pip, "uninstall", "-q", "-y", name], check=True, env=own)  # noqa: S603 - same


@contextlib.contextmanager
def running(words: Sequence[str], data: Path, url: str, ready: str, **environment: str) -> Iterator[str]:
    """The server while the block runs, once it answers at `ready`; its URL.

    It hashes the same in every start, so that its document is the same; nothing else of the environment reaches it.
    """
    own = {"PATH": os.defpath, "HOME": str(data), "PYTHONHASHSEED": "0", **environment}
    with (
        (data / "server.out").open("wb") as out,
        subprocess.Popen(words, cwd=data, env=own, stdout=out, stderr=out) as process,  # noqa: S603 - our own words
    ):
        try:
            answers(url, ready, process)
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


def verified(url: str, contract: str, words: Sequence[str], environment: Mapping[str, str]) -> Run:
    """One `harness verify` of the URL, in a folder without a harness.toml of its own.

    The one of this project tells who speaks to another API. The report is under `reports/` here, in a folder that no
    other run has written to.
    """
    shelf = Path("reports").absolute()
    shelf.mkdir(exist_ok=True)
    reports = Path(tempfile.mkdtemp(prefix="third-party-", dir=shelf))
    with tempfile.TemporaryDirectory(prefix="harness-") as place:
        run = [sys.executable, "-m", "harness.cli", "verify", "--url", url, "--contract", contract, *words]
        own = {**os.environ, **environment}
        done = subprocess.run([*run, "--reports", str(reports)], cwd=place, env=own, check=False)  # noqa: S603 - same
    told = reports / "latest" / "findings.jsonl"
    if done.returncode != FINDINGS or not told.exists():
        return Run(done.returncode, frozenset())
    found = [json.loads(line) for line in told.read_text(encoding="utf-8").splitlines()]
    return Run(done.returncode, frozenset((item["code"], item["operation"]) for item in found))


def answers(url: str, ready: str, process: subprocess.Popen[bytes] | None = None) -> None:
    """Waits until a server answers 200 at the path `ready`, as long as its process runs where that is told."""
    ends = time.monotonic() + START_S
    while (process is None or process.poll() is None) and time.monotonic() < ends:
        with contextlib.suppress(TargetError):
            if reachable(url, ready).status == HTTPStatus.OK:
                return
        time.sleep(POLL_S)  # a foreign server tells nobody when it is ready: it is asked again
    raise SystemExit(f"the server did not answer at {url}{ready} within {START_S:g} s")


def called(method: str, url: str, body: Any, **headers: str) -> Any:
    """The JSON that a call is answered; raises where it is refused."""
    data = None if body is None else json.dumps(body).encode()
    told = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, data, told, method=method)  # noqa: S310 - a loopback address
    with urllib.request.urlopen(request, timeout=CALL_S) as answer:  # noqa: S310 - same
        return json.load(answer)


def stay(url: str) -> None:
    """Says where the server is and waits until it is ended, also in the background, where Ctrl-C does not come."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.stdout.write(f"{url} is up; Ctrl-C or SIGTERM ends it\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


def password() -> str:
    """One that nobody knows before."""
    return f"Pw1-{secrets.token_hex(8)}"


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
