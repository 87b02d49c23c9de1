"""A GNS3 server to be verified: installed apart, started on loopback with data to throw away, with three accounts.

    python scenarios/third_party/gns3/lab.py install build/gns3
    python scenarios/third_party/gns3/lab.py serve build/gns3 --port 3080
    python scenarios/third_party/gns3/lab.py people --port 3080
    python scenarios/third_party/gns3/lab.py verify build/gns3

`verify` does the last two and runs the two commands of README.md one after the other, each on a server of its own.
"""

from __future__ import annotations

import argparse
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
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).parent.absolute()
SERVER = "gns3-server==3.0.6"
PASSWORDS = ("GNS3_ADMIN_PASSWORD", "GNS3_ALICE_PASSWORD", "GNS3_BOB_PASSWORD")
FOLDERS = ("projects", "images", "appliances", "configs", "symbols", "secrets")
GRANTS = {"/pools": "Administrator", "/access/groups": "User manager", "/templates": "Template manager"}
START_S = 60.0
STOP_S = 10.0
FINDINGS = 1


def install(folder: Path) -> None:
    """A virtual environment with the server at its pinned versions; its crash reporting is taken out."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)  # noqa: S603 - our own words
    pip = [str(folder / "bin" / "python"), "-m", "pip"]
    own = {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}
    subprocess.run([*pip, "install", "-q", SERVER, "-c", str(HERE / "constraints.txt")], check=True, env=own)  # noqa: S603 - same
    subprocess.run([*pip, "uninstall", "-q", "-y", "sentry-sdk"], check=True, env=own)  # noqa: S603 - same


def command(folder: Path, data: Path, port: int, password: str) -> list[str]:
    """Writes the settings into a fresh data folder; what starts the server with them."""
    for name in FOLDERS:
        (data / name).mkdir(parents=True)
    paths = "\n".join(f"{name}_path = {data / name}" for name in FOLDERS[:-1])
    (data / "gns3_server.conf").write_text(
        f"[Server]\n{paths}\nsecrets_dir = {data / 'secrets'}\n"
        "install_builtin_appliances = False\nreport_errors = False\n"
        f"[Controller]\ndefault_admin_username = admin\ndefault_admin_password = {password}\n",
        encoding="utf-8",
    )
    server = [str((folder / "bin" / "gns3server").absolute()), "--host", "127.0.0.1", "--port", str(port)]
    return [*server, "--config", str(data / "gns3_server.conf"), "--quiet", "--logfile", str(data / "server.log")]


@contextlib.contextmanager
def served(folder: Path, port: int, password: str) -> Iterator[str]:
    """The server while the block runs; its URL. It hashes the same in every start, so that its document is the same."""
    with tempfile.TemporaryDirectory(prefix="gns3-") as data:
        environment = {"PATH": os.defpath, "HOME": data, "PYTHONHASHSEED": "0"}
        words = command(folder, Path(data), port, password)
        with subprocess.Popen(words, cwd=data, env=environment, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - same
            try:
                url = f"http://127.0.0.1:{port}"
                _answers(url, process)
                yield url
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(STOP_S)
                except subprocess.TimeoutExpired:
                    process.kill()


def people(url: str, passwords: Mapping[str, str]) -> None:
    """Two accounts beside the administrator's: alice keeps pools, groups and templates, bob has no right of his own."""
    admin = _call(url, "users/authenticate", {"username": "admin", "password": passwords["GNS3_ADMIN_PASSWORD"]})
    token = str(admin["access_token"])
    ids = {
        name: _call(url, "users", {"username": name, "password": passwords[f"GNS3_{name.upper()}_PASSWORD"]}, token)
        for name in ("alice", "bob")
    }
    roles = {role["name"]: role["role_id"] for role in _call(url, "roles", None, token)}
    for path, role in GRANTS.items():
        grant = {"ace_type": "user", "path": path, "user_id": ids["alice"]["user_id"], "role_id": roles[role]}
        _call(url, "acl", grant, token)


def verify(folder: Path, budget: str) -> int:
    """Both commands of README.md; 0 where each ended with a verdict that counts its findings."""
    passwords = {name: f"Pw1-{secrets.token_hex(8)}" for name in PASSWORDS}
    promised = ["--overlay", str(HERE / "overlay.yaml"), "--config", str(HERE / "harness.toml")]
    reports, codes = str(Path("reports").absolute()), []
    for more in ([], promised):
        with served(folder, _free_port(), passwords["GNS3_ADMIN_PASSWORD"]) as url, _elsewhere() as place:
            people(url, passwords)
            words = ["verify", "--url", url, "--contract", "/openapi.json", "--budget", budget, "--reports", reports]
            run = [sys.executable, "-m", "harness.cli", *words, *more]
            done = subprocess.run(run, cwd=place, env={**os.environ, **passwords}, check=False)  # noqa: S603 - same
            codes.append(done.returncode)
    return 0 if codes == [FINDINGS, FINDINGS] else 1


def _elsewhere() -> tempfile.TemporaryDirectory[str]:
    """A folder without a harness.toml of its own: the one of this project tells who speaks to another API."""
    return tempfile.TemporaryDirectory(prefix="harness-")


def main() -> int:
    """Reads the command line; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["install", "serve", "people", "verify"])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("build/gns3"), help="the server's environment")
    parser.add_argument("--port", type=int, default=3080)
    parser.add_argument("--budget", default="120s")
    options = parser.parse_args()
    if options.what == "install":
        install(options.folder)
    elif options.what == "serve":
        with (
            served(options.folder, options.port, os.environ[PASSWORDS[0]]) as url,
            contextlib.suppress(KeyboardInterrupt),
        ):
            sys.stdout.write(f"{url} is up; Ctrl-C ends it\n")
            sys.stdout.flush()
            signal.pause()
    elif options.what == "people":
        people(f"http://127.0.0.1:{options.port}", os.environ)
    else:
        return verify(options.folder, options.budget)
    return 0


def _answers(url: str, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < ends:
        try:
            with urllib.request.urlopen(f"{url}/v3/version", timeout=5):  # noqa: S310 - a loopback address
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise SystemExit(f"the server at {url} did not come up within {START_S:g} s")


def _call(url: str, path: str, body: Any, token: str = "") -> Any:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/v3/access/{path}", data, headers)  # noqa: S310 - same
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - same
        return json.load(answer)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
