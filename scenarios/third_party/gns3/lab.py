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
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenarios.third_party import lab

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).parent.absolute()
SERVER = "gns3-server==3.0.6"
PASSWORDS = ("GNS3_ADMIN_PASSWORD", "GNS3_ALICE_PASSWORD", "GNS3_BOB_PASSWORD")
FOLDERS = ("projects", "images", "appliances", "configs", "symbols", "secrets")
GRANTS = {"/pools": "Administrator", "/access/groups": "User manager", "/templates": "Template manager"}
READY = "/v3/version"
CRASH_REPORTER = "sentry-sdk"


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
    """The server while the block runs; its URL."""
    with tempfile.TemporaryDirectory(prefix="gns3-") as place:
        words = command(folder, Path(place), port, password)
        with lab.running(words, Path(place), f"http://127.0.0.1:{port}", READY) as url:
            yield url


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
    passwords = {name: lab.password() for name in PASSWORDS}
    promised = ["--overlay", str(HERE / "overlay.yaml"), "--config", str(HERE / "harness.toml")]
    codes = []
    for more in ([], promised):
        with served(folder, lab.free_port(), passwords["GNS3_ADMIN_PASSWORD"]) as url:
            people(url, passwords)
            codes.append(lab.verified(url, "/openapi.json", ["--budget", budget, *more], passwords).code)
    return 0 if codes == [lab.FINDINGS, lab.FINDINGS] else 1


def main() -> int:
    """Reads the command line; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["install", "serve", "people", "verify"])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("build/gns3"), help="the server's environment")
    parser.add_argument("--port", type=int, default=3080)
    parser.add_argument("--budget", default="120s")
    options = parser.parse_args()
    if options.what == "install":
        lab.install(options.folder, SERVER, HERE / "constraints.txt", without=[CRASH_REPORTER])
    elif options.what == "serve":
        with served(options.folder, options.port, os.environ[PASSWORDS[0]]) as url:
            lab.stay(url)
    elif options.what == "people":
        url = f"http://127.0.0.1:{options.port}"
        lab.answers(url, READY)
        people(url, os.environ)
    else:
        return verify(options.folder, options.budget)
    return 0


def _call(url: str, path: str, body: Any, token: str = "") -> Any:
    method = "GET" if body is None else "POST"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return lab.called(method, f"{url}/v3/access/{path}", body, **headers)


if __name__ == "__main__":
    sys.exit(main())
