"""The service put together: the outer layer, the key, the tenant, the four verbs."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from typing import TYPE_CHECKING, Any

import msgspec

from reference_impl.contract.reading import BodyReader
from reference_impl.data.names import tenant_name
from reference_impl.dosql.database import TenantDatabase
from reference_impl.dosql.document import VERBS, Verb, render
from reference_impl.dosql.presence import ClientGoneError, while_there
from reference_impl.dosql.types import OneRow, Results, Rows
from reference_impl.edge.answers import encode, envelope, send_bytes
from reference_impl.edge.bodies import is_json, read_bytes
from reference_impl.edge.document import DocumentEndpoint
from reference_impl.edge.ended import Ended
from reference_impl.edge.exchange import Exchange, of
from reference_impl.edge.intake import Intake
from reference_impl.edge.outer import Outer, Watchers
from reference_impl.edge.request_log import log, report
from reference_impl.edge.routes import Paths
from reference_impl.errors import ApiError, invalid, late, not_found, unauthorized, unavailable
from reference_impl.identity.tokens import bearer
from reference_impl.settings.reader import TENANT_NAME

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from reference_impl.settings import Settings


class Databases:
    """The tenants' files, made by a command and never by a request; opened when first asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.storage.data / "dosql"
        self._open: dict[str, TenantDatabase] = {}

    def create(self, name: str) -> bool:
        """Make a tenant's file; False when it was there; ValueError when the name is refused."""
        path = self._path(tenant_name(name))
        self._folder.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        path.touch()
        return new

    def get(self, name: str) -> TenantDatabase:
        """Return a tenant's database; NOT_FOUND when there is no such tenant."""
        database = self._open.get(name)
        if database is None:
            if not TENANT_NAME.fullmatch(name) or not self._path(name).is_file():
                raise not_found("tenant")
            database = self._open[name] = TenantDatabase(
                self._path(name), self._settings.dosql, self._settings.storage.pool_wait_s
            )
        return database

    def healthy(self) -> bool:
        """Say whether the folder is there."""
        return self._folder.is_dir()

    def close(self) -> None:
        """Close every database; queued work is finished first."""
        for database in self._open.values():
            database.close()
        self._open.clear()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.sqlite"


class VerbEndpoint:
    """One verb: the key, the tenant, the body, the answer."""

    def __init__(self, verb: Verb, settings: Settings, databases: Databases) -> None:
        self._verb = verb
        self._settings = settings
        self._databases = databases
        self._body = BodyReader(verb.input)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        exchange = of(scope)
        self._authenticate(exchange)
        exchange.tenant = exchange.headers.get("x-tenant-id", "")
        database = self._databases.get(exchange.tenant)
        if scope["query_string"]:
            raise invalid("query", "no parameter is taken")
        body = await self._read(exchange, receive)
        try:
            answer = await while_there(receive, self._answer(database, body))
        except ClientGoneError:
            return  # nobody reads what would be sent
        await send_bytes(send, 200, encode(answer))

    async def _answer(self, database: TenantDatabase, body: Any) -> Any:
        match self._verb.path:
            case "/query":
                return Rows(await database.query(body))
            case "/queryOne":
                return OneRow(await database.query_one(body))
            case "/run":
                return await database.run(body)
            case _:
                return Results(await database.transaction(body.operations))

    def _authenticate(self, exchange: Exchange) -> None:
        given = bearer(exchange.headers.get("authorization", ""))
        if not hmac.compare_digest(given.encode(), self._settings.dosql.key.encode()):
            raise unauthorized("The key does not hold.")

    async def _read(self, exchange: Exchange, receive: Receive) -> Any:
        edge = self._settings.edge
        try:
            async with asyncio.timeout(edge.timeout_s):  # what follows has bounds of its own
                raw = await read_bytes(receive, edge.body_limit_bytes)
        except TimeoutError as error:
            raise late(edge.timeout_s) from error
        kind = exchange.headers.get("content-type")
        if kind is None or not is_json(kind):
            raise ApiError("UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json.")
        return self._body.read(raw)


class HealthEndpoint:
    """Whether the folder of the databases is there."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if not self._databases.healthy():
            raise unavailable("The databases are gone.")
        await send_bytes(send, 200, b'{"status":"ok"}', head=of(scope).method == "HEAD")


class DoSqlApplication:
    """The ASGI application."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.databases = Databases(settings)
        paths: dict[str, dict[str, Any]] = {
            verb.path: {"POST": VerbEndpoint(verb, settings, self.databases)} for verb in VERBS
        }
        paths["/health"] = {"GET": HealthEndpoint(self.databases)}
        self._document = DocumentEndpoint(lambda: msgspec.json.encode(render()))
        paths["/openapi.json"] = {"GET": self._document}
        routes = Paths(paths)
        routes.lifespan_context = self._lifespan
        finished = (log,) if settings.edge.request_log else ()
        self._app = Outer(Ended(Intake(routes, settings)), envelope, Watchers(finished, (report,)))

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: object) -> AsyncIterator[None]:
        _ = self._document.prepared
        yield
        self.databases.close()

    def end_streams(self) -> None:
        """Tell whoever listens that the server ends: nobody does."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        await self._app(scope, receive, send)
