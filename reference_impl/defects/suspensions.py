"""Defects of suspended accounts: D5a, D5b."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from reference_impl.data.database import Body, Database, DatabaseError, Row, Transaction
from reference_impl.defects.defect import EVERY_OPERATION, Defect, changed
from reference_impl.edge.authentication import Authentication
from reference_impl.identity.tokens import identify
from reference_impl.procedures.accounts import login
from reference_impl.procedures.bulk import change_status
from reference_impl.procedures.sessions import refresh

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_impl.application import Parts
    from reference_impl.contract.procedure import Call, Reply
    from reference_impl.edge.exchange import Exchange
    from reference_impl.procedures.bulk_types import StatusChange
    from reference_impl.procedures.session_types import Credentials, Renewal

T = TypeVar("T")
# Parts of statements, each with what stands there instead.
_ANYONE = {" AND status = 'active'": ""}
_ANY_HOLDER = {" AND u.status = 'active'": ""}
_NONE_ENDS = {"WHERE user_id = ? AND revoked_at IS NULL RETURNING": "WHERE user_id = ? AND 1 = 0 RETURNING"}


class Misread:
    """A database whose statements have other parts."""

    def __init__(self, database: Database, parts: Mapping[str, str]) -> None:
        self._database = database
        self._parts = parts

    def _other(self, sql: str) -> str:
        for part, instead in self._parts.items():
            sql = sql.replace(part, instead)
        return sql

    def _body(self, body: Body[T]) -> Transaction[T]:
        running = body()
        try:
            statement = next(running)
            while True:
                try:
                    rows = yield statement._replace(sql=self._other(statement.sql))
                except DatabaseError as error:
                    statement = running.throw(error)
                else:
                    statement = running.send(rows)
        except StopIteration as end:
            result: T = end.value
            return result

    async def query(self, sql: str, *parameters: object) -> list[Row]:
        """Return all rows of the other read."""
        return await self._database.query(self._other(sql), *parameters)

    async def query_one(self, sql: str, *parameters: object) -> Row | None:
        """Return the first row of the other read, or None."""
        return await self._database.query_one(self._other(sql), *parameters)

    async def run(self, sql: str, *parameters: object) -> list[Row]:
        """Execute the other write."""
        return await self._database.run(self._other(sql), *parameters)

    async def transaction(self, body: Body[T], *, locking: bool = False) -> T:
        """Run a body of the other statements."""
        return await self._database.transaction(lambda: self._body(body), locking=locking)

    async def read(self, body: Body[T], *, small: bool = False) -> T:
        """Run a reading body of the other statements."""
        return await self._database.read(lambda: self._body(body), small=small)


def misreading(call: Call[Any, Any], parts: Mapping[str, str]) -> Call[Any, Any]:
    """Return the call on such a database."""
    return replace(call, database=Misread(call.database, parts))


async def login_of_anyone(call: Call[Credentials, None]) -> Reply:
    """D5a: nobody asks whether the account is suspended when its password fits."""
    return await login(misreading(call, _ANYONE))


async def change_status_alone(call: Call[StatusChange, None]) -> Reply:
    """D5b: write the status and end no session."""
    return await change_status(misreading(call, _NONE_ENDS))


async def refresh_of_anyone(call: Call[Renewal, None]) -> Reply:
    """D5b: nobody asks whether the holder is suspended."""
    return await refresh(misreading(call, _ANY_HOLDER))


class AnyHolder(Authentication):
    """D5b: of a token's session alone is asked, not of who holds it."""

    async def authenticate(self, exchange: Exchange, token: str) -> None:
        """Put the token's holder into the exchange, suspended or not."""
        claims = self._tokens.read(token)
        database = await self._tenant(exchange, claims.tenant)
        exchange.caller = await identify(Misread(database, _ANY_HOLDER), claims)


def plant_going_on(parts: Parts) -> Parts:
    """D5b: a suspension is heeded at the login alone."""
    planted = changed("users.bulkStatus", handler=change_status_alone)(parts)
    planted = changed("auth.refresh", handler=refresh_of_anyone)(planted)
    return replace(planted, authentication=AnyHolder)


_TAKEN = ("credentials.taken",)

DEFECTS = (
    Defect(
        id="D5a",
        title="A suspended account can log in",
        codes=_TAKEN,
        operations=("auth.login",),
        plant=changed("auth.login", handler=login_of_anyone),
    ),
    Defect(
        id="D5b",
        title="A suspension is heeded at the login alone: tokens from before it are taken and refreshed",
        codes=(*_TAKEN, "credentials.ignored"),
        operations=EVERY_OPERATION,
        plant=plant_going_on,
    ),
)
