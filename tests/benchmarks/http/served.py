"""Servers of the HTTP benchmarks: the reference and the comparison apps, each one process on one core."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
from login_provider import CLIENT

from harness.targets.process import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).parent
KEY = "benchmark-key-" * 4
PASSWORD = "benchmark password"
ADMIN = "admin@example.test"
SERVER_CORE, CLIENT_CORE = 0, 1
QUOTA = 1_000_000
LIMITS = ("LIST", "GET", "CREATE", "UPDATE", "DELETE", "UPLOAD", "STREAM", "REGISTER", "LOGIN", "REFRESH")


def pinned(core: int) -> list[str]:
    """The words that put a command on one core, where the machine has them."""
    return ["taskset", "-c", str(core)] if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else []


@dataclass(slots=True)
class Served:
    """One running server, what it needs in a request, and things that are there."""

    name: str
    port: int
    headers: dict[str, str]
    facts: dict[str, Any] = field(default_factory=dict)
    pid: int = 0

    def processor_s(self) -> float:
        """Processor seconds that the server has used, all its threads together."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def process(
    command: list[str], port: int, path: str, environment: Mapping[str, str] | None = None, core: int = SERVER_CORE
) -> Iterator[int]:
    """A server from its first answer until the block ends; its process id."""
    child = subprocess.Popen(
        [*pinned(core), *command],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(400):
            with contextlib.suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).read()
                break
            if child.poll() is not None:
                raise RuntimeError(f"{command} ended with {child.returncode}")
            time.sleep(0.05)
        yield child.pid
    finally:
        child.terminate()
        child.wait(20)


def call(port: int, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
    """One request that must succeed; the JSON that came."""
    data = None if body is None else json.dumps(body).encode()
    told = {"Content-Type": "application/json"} if data is not None else {}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", data=data, method=method, headers={**told, **(headers or {})}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


@contextlib.contextmanager
def login_provider() -> Iterator[dict[str, str]]:
    """A login provider on the client's core; the settings that have the reference trust it."""
    port = free_port()
    words = [sys.executable, str(HERE / "login_provider.py"), str(port)]
    with process(words, port, "/keys", core=CLIENT_CORE):
        yield {
            "API_OAUTH_ISSUER": f"http://127.0.0.1:{port}",
            "API_OAUTH_CLIENT_ID": CLIENT,
            "API_OAUTH_REDIRECT_URL": "https://shop.example.test/back",
        }


@contextlib.contextmanager
def reference(products: int, **settings: str) -> Iterator[Served]:
    """The reference API: one worker, SQLite, seeded, production settings of everything but limits and addresses."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        port = free_port()
        environment = {
            "API_PROFILE": "production",
            "API_DATA": folder,
            "API_TOKEN_KEY": KEY,
            "API_DEFAULT_TENANT": "alpha",
            "API_SQLITE_SYNCHRONOUS": "NORMAL",
            "API_CORS_ORIGINS": "https://shop.example.test",
            "API_GLOBAL_QUOTA": str(QUOTA),
            "API_GLOBAL_WINDOW_S": "1",
            "API_PROCEDURE_WINDOW_S": "1",
            "API_LOGIN_FAILURES": "100000",
            **{f"API_QUOTA_{name}": str(QUOTA) for name in LIMITS},
            "ADMIN_PASSWORD": PASSWORD,
            **settings,
        }
        module = [sys.executable, "-m", "reference_impl"]
        prepare: list[list[str]] = [
            ["set-up", "--tenants", "alpha", "--admin-email", ADMIN],
            ["seed", "--tenant", "alpha", "--products", str(products), "--seed", "1"],
        ]
        for words in prepare:
            subprocess.run([*module, *words], check=True, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
        with process([*module, "serve", "--port", str(port)], port, "/health", environment) as pid:
            yield Served("reference", port, *_people(port), pid)


def _people(port: int) -> tuple[dict[str, str], dict[str, Any]]:
    """An admin, a seller and a buyer, signed in; headers of the seller, and the rest as facts."""
    login = call(port, "POST", "/api/v1/auth/login", {"email": ADMIN, "password": PASSWORD})
    admin = {"Authorization": f"Bearer {login['accessToken']}"}
    facts: dict[str, Any] = {"admin": admin}
    for role in ("seller", "user"):
        email = f"{role}@example.test"
        who = call(port, "POST", "/api/v1/auth/register", {"email": email, "password": PASSWORD, "name": role})
        call(port, "PATCH", f"/api/v1/users/{who['id']}/roles", {"roles": [role]}, admin)
        told = call(port, "POST", "/api/v1/auth/login", {"email": email, "password": PASSWORD})
        facts[role] = {"Authorization": f"Bearer {told['accessToken']}"}
        facts[f"{role}Id"] = who["id"]
    listed = call(port, "GET", "/api/v1/products?limit=100")
    facts["products"] = [item["id"] for item in listed["items"]]
    facts["categoryId"] = listed["items"][0]["category"]["id"]
    return facts["seller"], facts


def comparison_data(folder: Path, products: int) -> tuple[Path, dict[str, Any]]:
    """A database for a comparison app: a seller with a session, ten categories, so many products."""
    file = folder / "comparison.sqlite"
    db = sqlite3.connect(file)
    db.executescript((HERE / "comparison.sql").read_text(encoding="utf-8"))
    seller, session = str(uuid.uuid4()), str(uuid.uuid4())
    db.execute("INSERT INTO users VALUES (?, 'seller@example.test', 'Seller', 'user,seller', NULL)", (seller,))
    db.execute("INSERT INTO sessions VALUES (?, ?, '2099-01-01T00:00:00.000Z', NULL)", (session, seller))
    categories = [str(uuid.uuid4()) for _ in range(10)]
    db.executemany("INSERT INTO categories VALUES (?, ?)", [(item, f"Category {item[:8]}") for item in categories])
    rows = [
        (
            str(uuid.uuid4()),
            seller,
            categories[n % 10],
            f"Product {n}",
            f"product-{n}",
            "Turned by hand. " * 8,
            f"product {n}",
            n,
            100,
            1,
        )
        + (f"2026-01-01T00:00:{n % 60:02}.{n % 1000:03}Z",) * 2
        for n in range(products)
    ]
    db.executemany("INSERT INTO products VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)", rows)
    db.executemany(
        "INSERT INTO product_images VALUES (?, 0, ?)", [(row[0], f"https://files.test/{row[0]}") for row in rows]
    )
    db.commit()
    db.close()
    claims = {"sub": seller, "sid": session, "aud": "reference-impl-api", "exp": int(time.time()) + 86400}
    token = jwt.encode(claims, KEY, algorithm="HS256")
    facts = {"products": [row[0] for row in rows[-100:]], "categoryId": categories[0]}
    return file, {"headers": {"Authorization": f"Bearer {token}"}, **facts}


@contextlib.contextmanager
def comparison(name: str, command: list[str], products: int) -> Iterator[Served]:
    """A comparison app: the command is given the port, the database, the key and the quota."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        file, facts = comparison_data(Path(folder), products)
        port = free_port()
        words = [*command, str(port), str(file), KEY, str(QUOTA)]
        with process(words, port, "/health", {"NODE_ENV": "production"}) as pid:
            yield Served(name, port, facts.pop("headers"), facts, pid)


@contextlib.contextmanager
def bare(name: str, command: list[str]) -> Iterator[Served]:
    """A framework alone."""
    port = free_port()
    words = [*command, str(port), ":memory:", KEY, "1", "bare"]
    with process(words, port, "/bare", {"NODE_ENV": "production"}) as pid:
        yield Served(name, port, {}, pid=pid)


def hono(file: str = "server.mjs") -> list[str]:
    """The words that start a Hono app, its packages installed beside it when they are not yet."""
    folder = HERE / "hono"
    if not (folder / "node_modules").is_dir():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"], cwd=folder, check=True)
    return ["node", str(folder / file)]


def fastapi() -> list[str]:
    """The words that start the FastAPI app."""
    return [sys.executable, str(HERE / "fastapi_app.py")]


def starlette() -> list[str]:
    """The words that start bare Starlette with msgspec, which the reference stands on."""
    return [sys.executable, str(HERE / "bare_starlette.py")]
