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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow
SERVER = Path(__file__).parent / "rpc_server.py"
QUOTAS = ("LIST", "GET", "CREATE", "UPDATE", "DELETE", "UPLOAD", "STREAM")


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory, database: Callable[[], dict[str, str]]) -> Iterator[str]:
    """The origin of a server that is started for these tests."""
    folder = tmp_path_factory.mktemp("shop")
    environment = {
        "API_PROFILE": "verify",
        "API_DATA": str(folder / "data"),
        "ADMIN_PASSWORD": "correct horse battery",
        "API_GLOBAL_QUOTA": "100000",
        **{f"API_QUOTA_{name}": "10000" for name in QUOTAS},
        **database(),
    }
    words = ("-m", "reference_impl", "set-up", "--tenants", "alpha,beta", "--admin-email", "admin@example.test")
    made = start(folder, *words, program=(sys.executable,), environment=environment).done()
    assert made.code == 0, made.text
    server = start(folder, str(SERVER), program=(sys.executable,), environment=environment)
    try:
        assert until(lambda: server.out.read_text() or server.process.poll() is not None, 30)
        assert server.process.poll() is None, server.err.read_text()
        yield f"http://127.0.0.1:{json.loads(server.out.read_text().splitlines()[0])['port']}"
    finally:
        server.process.terminate()
        server.done()


def run(packages: Path, origin: str, *words: str) -> None:
    """Run a program of the packages' folder; what it says is shown when it fails."""
    environment = {**os.environ, "SHOP_ORIGIN": origin, "NO_COLOR": "1"}
    done = subprocess.run(
        words, cwd=packages, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("script", ["calls", "batches", "streams", "values", "openapi"])
def test_the_clients_of_npm_are_served(packages: Path, origin: str, script: str) -> None:
    """The real client's calls, batches, streams and values come through, over RPC and over REST."""
    run(packages, origin, "node", "--test", f"{script}.test.mjs")


@pytest.mark.engines("sqlite")
def test_a_typed_client_is_made_from_the_document(packages: Path, origin: str) -> None:
    """Types of the served document compile in strict TypeScript, and refuse what the document refuses."""
    run(packages, origin, "npx", "--no-install", "openapi-typescript", f"{origin}/openapi.json", "-o", "schema.ts")
    run(packages, origin, "npx", "--no-install", "tsc", "--project", "tsconfig.json")


def test_the_scripts_are_all_run() -> None:
    """No script of the folder is forgotten by the list above."""
    assert ROOT in SCRIPTS.parents
    found = {path.name.removesuffix(".test.mjs") for path in SCRIPTS.glob("*.test.mjs")}
    assert found == {"calls", "batches", "streams", "values", "openapi"}
