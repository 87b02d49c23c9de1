"""The reference API as a process on an engine, and a shop's ordinary calls to it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx

from reference_impl.data.tenants import open_tenants
from reference_impl.settings import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_impl.data.database import Row

ROOT = Path(__file__).resolve().parents[2]
EMAIL = "admin@example.test"
PASSWORD = "correct horse battery"
MANY = 1_000_000


class Api:
    """One installation: its environment, and the process that serves it at the moment."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._settings = {
            "API_PROFILE": "verify",
            "API_DATA": str(folder / "data"),
            "API_TOKEN_KEY": "k" * 64,
            "API_REQUEST_LOG": "off",
            "API_GLOBAL_QUOTA": str(MANY),
            **{f"API_QUOTA_{name}": str(MANY) for name in ("CREATE", "GET", "LIST", "UPDATE")},
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.address = ""

    def set_up(self) -> None:
        """Make the tenant alpha with its admin."""
        words = ("set-up", "--tenants", "alpha", "--admin-email", EMAIL)
        done = subprocess.run(
            self._command(*words), env=self._environment(), capture_output=True, check=False, text=True
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Serve on a free port; a request that comes at once waits until it is ready."""
        with (self._folder / "api.log").open("ab") as log:
            command = self._command("serve", "--port", "0")
            self._process = subprocess.Popen(command, env=self._environment(), stdout=subprocess.PIPE, stderr=log)
        assert self._process.stdout is not None
        told = self._process.stdout.readline()
        assert told, (self._folder / "api.log").read_text()
        self.address = f"http://127.0.0.1:{json.loads(told)['port']}"

    def kill(self) -> None:
        """End the process with SIGKILL."""
        if self._process is not None and self._process.stdout is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            self._process = None

    def running(self) -> bool:
        """Whether the process that was started is still there."""
        return self._process is not None and self._process.poll() is None

    def rows(self, sql: str) -> list[Row]:
        """Ask the tenant's database itself."""

        async def ask() -> list[Row]:
            tenants = open_tenants(load(self._settings))
            try:
                database = await tenants.get("alpha")
                assert database is not None
                return await database.query(sql)
            finally:
                await tenants.close()

        return asyncio.run(ask())

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "reference_impl", *words]

    def _environment(self) -> Mapping[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_", "API_"))}
        return {**own, **self._settings, "PYTHONPATH": str(ROOT), "ADMIN_PASSWORD": PASSWORD}


class Shop:
    """An admin's calls, until its context ends."""

    def __init__(self, address: str, token: str = "") -> None:
        self.token = token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.client = httpx.AsyncClient(base_url=f"{address}/api/v1", headers=headers, timeout=30)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    async def log_in(self) -> str:
        """Return a token of the admin's."""
        answer = await self.client.post("/auth/login", json={"email": EMAIL, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["accessToken"])

    async def product(self, name: str, category: str, stock: int) -> str:
        """Return the id of a new product."""
        body = {"name": name, "price": 19.99, "stock": stock, "categoryId": category}
        answer = await self.client.post("/products", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def category(self) -> str:
        """Return the id of a new category."""
        answer = await self.client.post("/categories", json={"name": "Bowls"})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def order(self, quantities: Mapping[str, int]) -> httpx.Response:
        """Order so much of each product."""
        items = [{"productId": product, "quantity": quantity} for product, quantity in quantities.items()]
        return await self.client.post("/orders", json={"items": items})


async def timed(request: Any) -> tuple[httpx.Response, float]:
    """A response, and the seconds until it was there."""
    began = time.monotonic()
    return await request, time.monotonic() - began
