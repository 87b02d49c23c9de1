"""The clients of npm against the reference API: oRPC's RPCLink and OpenAPILink, and types made from the document.

The scripts stand in npm/ and are run by node's own test runner.
@orpc/client is 1.16.1, the newest with an RPCLink: what npm calls 2.0.0 is older, has none and does not install.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.npm_packages import SCRIPTS, TIMEOUT_S
from tests.integration.started import ROOT, start, until
from tests.servers.api import Api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.postgres import Cluster
    from tests.servers.redis import RedisServer

pytestmark = pytest.mark.slow
SERVER = Path(__file__).parent / "rpc_server.py"
BINARIES = Path("node_modules", ".bin")
SHOP = ("calls", "batches", "streams", "openapi")
OWN = ("own", "values")
# Processor time that a worker has used which answered its share; one that only waits uses less than a tenth of it.
WORKED_TICKS = 20


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Api]:
    """The command, as it is without settings: one worker over SQLite."""
    api = Api(tmp_path)
    api.set_up("alpha")
    api.start()
    yield api
    api.stop()


@pytest.fixture
def shared(tmp_path: Path, postgres: Cluster, redis: RedisServer) -> Iterator[Api]:
    """The command as it is deployed: two workers over PostgreSQL and Redis."""
    api = Api(tmp_path, API_DATABASE_URL=postgres.empty("npm_clients"), API_REDIS_URL=redis.url)
    api.set_up("alpha")
    api.start("--workers", "2")
    yield api
    api.stop()


def run(packages: Path, origin: str, *words: str) -> None:
    """Run a program of the packages' folder; what it says is shown when it fails."""
    environment = {**os.environ, "SHOP_ORIGIN": origin, "NO_COLOR": "1"}
    done = subprocess.run(
        words, cwd=packages, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def scripts(names: tuple[str, ...]) -> list[str]:
    """The files of scripts."""
    return [f"{name}.test.mjs" for name in names]


def ticks(process: int) -> int:
    """Processor time that a process has used, in ticks of 10 ms."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_the_clients_of_npm_are_served(packages: Path, alone: Api) -> None:
    """The real clients' calls, batches, files and streams come through, over RPC and over REST."""
    run(packages, alone.url, "node", "--test", *scripts(SHOP))


def test_the_clients_of_npm_are_served_by_two_workers(packages: Path, shared: Api) -> None:
    """So they are by two workers over PostgreSQL and Redis, each of which answers its share."""
    before = {worker: ticks(worker) for worker in shared.workers()}
    run(packages, shared.url, "node", "--test", *scripts(SHOP))
    worked = {worker: ticks(worker) - used for worker, used in before.items()}
    assert len(worked) == 2
    assert min(worked.values()) >= WORKED_TICKS, worked


def test_values_of_every_kind_come_back(packages: Path, tmp_path: Path) -> None:
    """What no procedure of the shop has: types richer than JSON, streams that fail on the way, the codec by itself."""
    environment = {
        "API_PROFILE": "verify",
        "API_DATA": str(tmp_path / "data"),
        "ADMIN_PASSWORD": "correct horse battery",
    }
    words = ("-m", "reference_impl", "set-up", "--tenants", "alpha", "--admin-email", "admin@example.test")
    made = start(tmp_path, *words, program=(sys.executable,), environment=environment).done()
    assert made.code == 0, made.text
    server = start(tmp_path, str(SERVER), program=(sys.executable,), environment=environment)
    try:
        assert until(lambda: server.out.read_text() or server.process.poll() is not None, 30)
        assert server.process.poll() is None, server.err.read_text()
        origin = f"http://127.0.0.1:{json.loads(server.out.read_text().splitlines()[0])['port']}"
        run(packages, origin, "node", "--test", *scripts(OWN))
    finally:
        server.process.terminate()
        server.done()


def test_a_typed_client_is_made_from_the_document(packages: Path, tmp_path: Path) -> None:
    """Types of the document compile in strict TypeScript, and refuse what the document refuses."""
    document = Api(tmp_path).command("openapi").stdout
    (packages / "openapi.json").write_text(document)
    run(packages, "", str(BINARIES / "openapi-typescript"), "openapi.json", "-o", "schema.ts")
    run(packages, "", str(BINARIES / "tsc"), "--project", "tsconfig.json")


def test_the_scripts_are_all_run() -> None:
    """No script of the folder is forgotten by the list above."""
    assert ROOT in SCRIPTS.parents
    found = {path.name.removesuffix(".test.mjs") for path in SCRIPTS.glob("*.test.mjs")}
    assert found == {*SHOP, *OWN}
