"""A login by a real provider: oauth2-mock-server of npm as a process on loopback, the API as another."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.integration.started import start, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.started import Started

pytestmark = pytest.mark.slow
SCRIPTS = Path(__file__).parent / "provider"
INSTALL = ("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
TIMEOUT_S = 120
READY_S = 30


def first_line(started: Started) -> str:
    """What a process tells when it is ready."""
    assert until(lambda: "\n" in started.out.read_text() or started.process.poll() is not None, READY_S)
    assert started.process.poll() is None, started.err.read_text()
    return started.out.read_text().splitlines()[0]


def stop(started: Started) -> None:
    """End a process that still runs."""
    if started.process.poll() is None:
        started.process.terminate()
    started.done()


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[tuple[str, Started]]:
    """The provider's issuer and its process."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: the login provider cannot be run")
    folder = tmp_path / "provider"
    shutil.copytree(SCRIPTS, folder)
    done = subprocess.run(INSTALL, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr
    started = start(folder, "provider.mjs", program=("node",))
    try:
        yield first_line(started), started
    finally:
        stop(started)


@pytest.fixture
def api(
    tmp_path: Path, provider: tuple[str, Started], database: Callable[[], dict[str, str]]
) -> Iterator[httpx.Client]:
    """A browser at an API that trusts the provider."""
    folder = tmp_path / "shop"
    folder.mkdir()
    environment = {
        "API_PROFILE": "verify",
        "API_DATA": str(folder / "data"),
        "ADMIN_PASSWORD": "correct horse battery",
        "API_OAUTH_ISSUER": provider[0],
        "API_OAUTH_CLIENT_ID": "shop",
        "API_OAUTH_REDIRECT_URL": "http://shop.example.test/back",
        "API_OAUTH_TIMEOUT_S": "2",
        **database(),
    }
    words = ("-m", "reference_impl", "set-up", "--tenants", "alpha", "--admin-email", "admin@example.test")
    made = start(folder, *words, program=(sys.executable,), environment=environment).done()
    assert made.code == 0, made.text
    serving = ("-m", "reference_impl", "serve", "--port", "0")
    server = start(folder, *serving, program=(sys.executable,), environment=environment)
    try:
        port = json.loads(first_line(server))["port"]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", trust_env=False) as client:
            yield client
    finally:
        stop(server)


def test_a_real_provider_signs_somebody_in(api: httpx.Client, provider: tuple[str, Started]) -> None:
    """Code, PKCE, nonce and signature hold; a spent state does not; a provider that is gone is 502 in bounded time."""
    begun = api.get("/auth/oauth/start").json()
    returned = httpx.get(begun["authorizationUrl"], trust_env=False)
    assert returned.status_code == 302, returned.text
    told = {name: values[0] for name, values in parse_qs(urlsplit(returned.headers["location"]).query).items()}
    ended = api.get("/auth/oauth/callback", params=told)
    assert ended.status_code == 200, ended.text
    assert (ended.json()["user"]["email"], ended.json()["user"]["name"]) == ("ada@example.test", "Ada")
    assert api.get("/auth/me").json() == ended.json()["user"]  # by the cookie
    assert api.get("/auth/oauth/callback", params=told).status_code == 401
    api.cookies.clear()
    begun = api.get("/auth/oauth/start").json()
    returned = httpx.get(begun["authorizationUrl"], trust_env=False)
    told = {name: values[0] for name, values in parse_qs(urlsplit(returned.headers["location"]).query).items()}
    stop(provider[1])
    gone = api.get("/auth/oauth/callback", params=told, timeout=5)
    assert (gone.status_code, gone.json()["error"]["code"]) == (502, "BAD_GATEWAY")
    assert api.get("/products").status_code == 200
