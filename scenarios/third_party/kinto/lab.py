"""A Kinto server to be verified: installed apart, started on loopback, all its data in its memory, with three accounts.

    python scenarios/third_party/kinto/lab.py install build/kinto
    python scenarios/third_party/kinto/lab.py serve build/kinto --port 8888
    python scenarios/third_party/kinto/lab.py people --port 8888
    python scenarios/third_party/kinto/lab.py verify build/kinto
    python scenarios/third_party/kinto/lab.py plant build/kinto --fault kept

`verify` does the middle two and runs the two commands of README.md; `plant` runs the second one on a server in which
faults.py planted a fault, and says whether it was caught. Without `--fault` it plants each in turn.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.third_party import lab

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

HERE = Path(__file__).parent.absolute()
SERVER = "kinto==26.5.0"
CONTRACT = "/v1/__api__"
READY = "/v1/__lbheartbeat__"
NAMES = ("admin", "alice", "bob")
KEPT = ("bucket", "collection", "group", "record")
# What shows each fault of faults.py: findings that a server without it does not give.
SHOWN: Mapping[str, frozenset[tuple[str, str]]] = {
    "kept": frozenset({("delete.read", "delete_record"), ("delete.listed", "delete_record")}),
    "stale": frozenset(("version.lost-update", f"{verb}_{name}") for verb in ("patch", "delete") for name in KEPT),
    "strange": frozenset(("owner.stranger-allowed", f"get_{name}") for name in KEPT),
    "skipped": frozenset({("page.missing", "get_records"), ("sort.pages", "get_records")}),
}
SETTINGS = """\
[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = {port}

[app:main]
use = egg:kinto
kinto.includes = kinto.plugins.accounts faults
kinto.storage_backend = kinto.core.storage.memory
kinto.cache_backend = kinto.core.cache.memory
kinto.permission_backend = kinto.core.permission.memory
kinto.userid_hmac_secret = {secret}
kinto.paginate_by = 50
multiauth.policies = account
multiauth.policy.account.use = kinto.plugins.accounts.AccountsPolicy
kinto.account_create_principals = system.Everyone
kinto.account_write_principals = account:admin
kinto.bucket_create_principals = system.Authenticated

[loggers]
keys = root

[handlers]
keys = console

[formatters]
keys =

[logger_root]
level = ERROR
handlers = console

[handler_console]
class = StreamHandler
args = (sys.stderr,)
"""


@contextlib.contextmanager
def served(folder: Path, port: int, fault: str = "") -> Iterator[str]:
    """The server while the block runs, with a fault where one is named; its URL."""
    with tempfile.TemporaryDirectory(prefix="kinto-") as place:
        data = Path(place)
        (data / "kinto.ini").write_text(SETTINGS.format(port=port, secret=lab.password()), encoding="utf-8")
        (data / "faults.py").write_bytes((HERE / "faults.py").read_bytes())
        words = [str((folder / "bin" / "kinto").absolute()), "start", "--ini", str(data / "kinto.ini")]
        more = {"PYTHONPATH": str(data), "KINTO_FAULT": fault}
        with lab.running(words, data, f"http://127.0.0.1:{port}", READY, **more) as url:
            yield url


def people(url: str, passwords: Mapping[str, str]) -> None:
    """Three accounts, each made by itself; admin is the one that the settings let write accounts."""
    for name in NAMES:
        lab.called("PUT", f"{url}/v1/accounts/{name}", {"data": {"password": passwords[name]}})


def basics(passwords: Mapping[str, str]) -> dict[str, str]:
    """What harness.toml reads from the environment: name and password of each account, as HTTP Basic sends them."""
    encoded = {name: base64.b64encode(f"{name}:{passwords[name]}".encode()).decode() for name in NAMES}
    return {f"KINTO_{name.upper()}_BASIC": text for name, text in encoded.items()}


def run(folder: Path, more: Sequence[str], fault: str = "") -> lab.Run:
    """One run of the harness on a server of its own."""
    passwords = {name: lab.password() for name in NAMES}
    with served(folder, lab.free_port(), fault) as url:
        people(url, passwords)
        return lab.verified(url, CONTRACT, more, basics(passwords))


def promised(budget: str) -> list[str]:
    """The options of the second command of README.md."""
    return [
        "--budget", budget, "--overlay", str(HERE / "overlay.yaml"), "--config", str(HERE / "harness.toml"),
    ]  # fmt: skip


def verify(folder: Path, budget: str) -> int:
    """Both commands of README.md; 0 where each ended with its findings and none of them is what a fault would show."""
    runs = [run(folder, more) for more in (["--budget", budget], promised(budget))]
    wrong = {item for shown in SHOWN.values() for item in shown} & {item for one in runs for item in one.findings}
    for code, operation in sorted(wrong):
        sys.stdout.write(f"{operation} gave {code}, which only a planted fault should give\n")
    return 0 if {one.code for one in runs} == {lab.FINDINGS} and not wrong else 1


def plant(folder: Path, budget: str, faults: Sequence[str]) -> int:
    """The second command on a server with each fault; 0 where each was caught."""
    runs = {fault: run(folder, promised(budget), fault) for fault in faults}
    for fault, one in runs.items():
        told = ", ".join(f"{code} of {operation}" for code, operation in sorted(_shown(fault, one)))
        missed = "NOT caught" if one.code in {lab.FINDINGS, lab.HOLDS} else f"NOT known: the run ended with {one.code}"
        sys.stdout.write(f"{fault}: caught by {told}\n" if told else f"{fault}: {missed}\n")
    return 0 if all(_shown(fault, one) for fault, one in runs.items()) else 1


def _shown(fault: str, one: lab.Run) -> frozenset[tuple[str, str]]:
    """What a run that ended with its findings shows of a fault."""
    return SHOWN[fault] & one.findings if one.code == lab.FINDINGS else frozenset()


def main() -> int:
    """Reads the command line; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["install", "serve", "people", "verify", "plant"])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("build/kinto"), help="the server's environment")
    parser.add_argument("--port", type=int, default=8888)
    parser.add_argument("--budget", default="120s")
    parser.add_argument("--fault", choices=sorted(SHOWN), action="append", help="may be repeated")
    options = parser.parse_args()
    if options.what == "install":
        lab.install(options.folder, SERVER, HERE / "constraints.txt")
    elif options.what == "serve":
        with served(options.folder, options.port) as url:
            lab.stay(url)
    elif options.what == "people":
        passwords = {name: os.environ[f"KINTO_{name.upper()}_PASSWORD"] for name in NAMES}
        url = f"http://127.0.0.1:{options.port}"
        lab.answers(url, READY)
        people(url, passwords)
    elif options.what == "verify":
        return verify(options.folder, options.budget)
    else:
        return plant(options.folder, options.budget, options.fault or sorted(SHOWN))
    return 0


if __name__ == "__main__":
    sys.exit(main())
