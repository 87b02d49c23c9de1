"""A shop in process: the real application over SQLite files and over PostgreSQL, called through ASGI."""

from __future__ import annotations

import asyncio
import itertools
import os
import uuid
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reference_impl.application import Application, Parts
from reference_impl.commands import create_admins, create_tenants
from reference_impl.data.tenants import open_tenants
from reference_impl.settings import Settings, load
from reference_impl.settings.limits import Quotas
from reference_impl.stores.redis.server import Server
from tests.servers.postgres import postgres  # noqa: F401 - a fixture
from tests.servers.redis import started
from tests.unit.reference_impl.held_commits import on_scene  # noqa: F401 - a fixture
from tests.unit.reference_impl.operator_calls import Operator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from reference_impl.data.database import Database
    from tests.servers.postgres import Cluster
    from tests.servers.redis import RedisServer

PASSWORD = "correct horse battery"
ADMIN = "admin@example.test"

ENGINES = ("sqlite", "postgresql")
SECTIONS = [entry.name for entry in fields(Settings) if entry.name != "profile"]


class Account:
    """A user with a token."""

    def __init__(self, user_id: str, token: str) -> None:
        self.id = user_id
        self.token = token


class Shop:
    """An application, its clock's loop, and short ways to do ordinary things."""

    def __init__(self, settings: Settings, parts: Parts | None = None) -> None:
        self.runner = asyncio.Runner()
        self.runner.run(create_tenants(settings, ["alpha", "beta"]))
        self.runner.run(create_admins(settings, ["alpha", "beta"], ADMIN))
        self.application = Application(settings, parts)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.application, raise_app_exceptions=True), base_url="http://shop.test"
        )
        self.accounts = 0
        self.admin = self.login(ADMIN)

    def send(self, method: str, path: str, by: Account | None = None, **options: Any) -> httpx.Response:
        """Send one request."""
        return self.together([(method, path, by, options)])[0]

    def together(self, requests: list[tuple[str, str, Account | None, dict[str, Any]]]) -> list[httpx.Response]:
        """Send requests at once."""

        async def run() -> list[httpx.Response]:
            return await asyncio.gather(*[self._one(*request) for request in requests])

        return self.runner.run(run())

    async def _one(self, method: str, path: str, by: Account | None, options: dict[str, Any]) -> httpx.Response:
        headers = dict(options.pop("headers", {}))
        if by is not None:
            headers["Authorization"] = f"Bearer {by.token}"
        target = (
            path
            if path.startswith(("http://", "/health", "/ready", "/open", "/t/", "/api", "/nope"))
            else f"/api/v1{path}"
        )
        return await self.client.request(method, target, headers=headers, **options)

    def login(self, email: str) -> Account:
        """Return an account with a fresh token."""
        answer = self.send("POST", "/auth/login", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return Account(answer.json()["user"]["id"], answer.json()["accessToken"])

    def account(self, *roles: str) -> Account:
        """Return a new account with these roles."""
        self.accounts += 1
        email = f"user{self.accounts}@example.test"
        body = {"email": email, "password": PASSWORD, "name": f"User {self.accounts}"}
        made = self.send("POST", "/auth/register", json=body)
        assert made.status_code == 201, made.text
        if roles:
            given = self.send("PATCH", f"/users/{made.json()['id']}/roles", self.admin, json={"roles": list(roles)})
            assert given.status_code == 200, given.text
        return self.login(email)

    def category(self, name: str = "Bowls") -> str:
        """Return the id of a new category."""
        answer = self.send("POST", "/categories", self.admin, json={"name": name})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def product(self, seller: Account, **members: Any) -> dict[str, Any]:
        """Return a new product; a category is made unless one is named."""
        if "categoryId" not in members:
            self.accounts += 1
            members["categoryId"] = self.category(f"Category {self.accounts}")
        body = {"name": "Walnut bowl", "price": 19.99, "stock": 5, **members}
        answer = self.send("POST", "/products", seller, json=body)
        assert answer.status_code in {200, 201}, answer.text
        return dict(answer.json())

    def order(self, buyer: Account, *lines: tuple[str, Any], **members: Any) -> httpx.Response:
        """Order quantities of products."""
        items = [{"productId": product_id, "quantity": quantity} for product_id, quantity in lines]
        return self.send("POST", "/orders", buyer, json={"items": items, **members})

    def stock(self, product_id: str) -> Any:
        """Return what is left of a product."""
        return self.send("GET", f"/products/{product_id}").json()["stock"]

    def close(self) -> None:
        """Close client, databases and loop."""
        self.runner.run(self.client.aclose())
        self.runner.run(self.application.tenants.close())
        self.runner.close()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis of this test session; tests are told apart by their prefixes."""
    yield from started(tmp_path_factory.mktemp("redis"))


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """The loop on which a module's stores live."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def open_server(redis_server: RedisServer, runner: asyncio.Runner) -> Iterator[Callable[..., Server]]:
    """Opens connections to Redis, each with a prefix of its own unless one is told."""
    servers: list[Server] = []

    def open_one(prefix: str = "") -> Server:
        servers.append(Server(redis_server.url, prefix or uuid.uuid4().hex, timeout_s=5.0))
        return servers[-1]

    yield open_one
    for server in servers:
        runner.run(server.close())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What works on a database is tested on both engines, or on those that the mark names; see tox.ini for fewer."""
    if "engine" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("engines")
    wanted = os.environ.get("TEST_ENGINES", " ".join(ENGINES)).split()
    left_out = {name: pytest.mark.skip(reason=f"TEST_ENGINES does not name {name}") for name in {*ENGINES} - {*wanted}}
    names = mark.args if mark else ENGINES
    metafunc.parametrize(
        "engine", [pytest.param(name, marks=left_out[name]) if name in left_out else name for name in names]
    )


@pytest.fixture
def engine() -> str:
    """The engine that a test runs on; `pytest_generate_tests` names it."""
    raise NotImplementedError


@pytest.fixture
def settings(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of the verify profile with a quiet log and data of their own."""
    monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)
    environment = {"API_PROFILE": "verify", "API_DATA": str(tmp_path / "data"), "API_REQUEST_LOG": "off"}
    return load({**environment, "API_DATABASE_URL": "" if engine == "sqlite" else "postgresql://see/open_shop"})


def changed(settings: Settings, **changes: Any) -> Settings:
    """The settings with other values of these names, whichever section they stand in; else `section__name`."""
    for told, value in changes.items():
        section, _, name = told.rpartition("__")
        if not section:
            found = [part for part in SECTIONS if name in {entry.name for entry in fields(getattr(settings, part))}]
            (section,) = found
        settings = replace(settings, **{section: replace(getattr(settings, section), **{name: value})})
    return settings


@pytest.fixture
def open_settings(settings: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Settings]:
    """Settings whose data are empty and their own, with other values of the names that are given."""
    names = (f"shop{number}" for number in itertools.count())

    def open_one(**changes: Any) -> Settings:
        name = next(names)
        changes["data"] = tmp_path / name
        if settings.storage.database_url:
            cluster: Cluster = request.getfixturevalue("postgres")
            changes["database_url"] = cluster.empty(name)
        return changed(settings, **changes)

    return open_one


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Operator:
    """Runs a command on the data of these settings and gives what a person sees."""
    return Operator(monkeypatch, capsys)


@pytest.fixture
def on_database(open_settings: Callable[..., Settings]) -> Callable[..., Any]:
    """Runs a coroutine function on a tenant's empty database."""

    def run(work: Callable[[Database], Awaitable[Any]], **changes: Any) -> Any:
        settings = open_settings(**changes)

        async def whole() -> Any:
            tenants = open_tenants(settings)
            try:
                await tenants.create("alpha")
                database = await tenants.get("alpha")
                assert database is not None
                return await work(database)
            finally:
                await tenants.close()

        return asyncio.run(whole())

    return run


@pytest.fixture
def open_shop(open_settings: Callable[..., Settings]) -> Iterator[Callable[..., Shop]]:
    """Open shops that are closed after the test; `parts` plants, further names are settings."""
    shops: list[Shop] = []

    def open_one(parts: Parts | None = None, **changes: Any) -> Shop:
        own = open_settings(**changes)
        shops.append(Shop(own, parts))
        return shops[-1]

    yield open_one
    for shop in shops:
        shop.close()


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    """The clean shop, with quotas that do not get in the way."""
    quotas = Quotas(**{entry.name: 10_000 for entry in fields(Quotas)})
    return open_shop(quotas=quotas, global_quota=100_000)
