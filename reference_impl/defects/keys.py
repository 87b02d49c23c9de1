"""Defects of API keys: B5a, B5b, B5c, B5d, B5e."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import Call, Reply
from reference_impl.defects.defect import Defect, changed, identifying
from reference_impl.edge.authentication import Authentication
from reference_impl.errors import not_found, unauthorized
from reference_impl.identity import keys, opaque
from reference_impl.identity.tokens import Identity, roles_of

if TYPE_CHECKING:
    from reference_impl.edge.exchange import Exchange

WEST = "T"
_ROW = (
    "SELECT id, name, hint, scopes, created_at, key_hash FROM api_keys "
    "WHERE user_id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?) AND id = ?"
)
_HOLDER = (
    "SELECT u.id, u.name, u.roles, k.scopes, k.id FROM api_keys k JOIN users u ON u.id = k.user_id "
    "WHERE k.key_hash = ? AND u.deleted_at IS NULL AND u.status = 'active' "
)
_HINTED = (
    "SELECT u.id, u.name, u.roles, k.scopes, k.id FROM api_keys k JOIN users u ON u.id = k.user_id "
    "WHERE k.hint = ? AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?)"
)
_UNTIL = "AND (k.expires_at IS NULL OR k.expires_at > ?)"


class KeyRow(msgspec.Struct, rename="camel"):
    """B5a: a key as it stands in the table."""

    id: str
    name: str
    hint: str
    scopes: list[str]
    created_at: str
    key_hash: str


async def get_row(call: Call[None, None]) -> Reply:
    """B5a: answer the whole row; the digest of the key stands in it."""
    now = rfc3339(time.time())
    row: Any = await call.database.query_one(_ROW, call.identity.user_id, now, call.path["id"])
    if row is None:
        raise not_found("key")
    return Reply(KeyRow(row[0], row[1], row[2], row[3].split(","), row[4], row[5]))


class LookingUp(Authentication):
    """Looks a key up by what a subclass asks of its row."""

    asked = _UNTIL

    def _now(self) -> str:
        return rfc3339(time.time())

    async def _by_key(self, exchange: Exchange, key: str) -> None:
        database = await self._tenant(exchange, keys.tenant_of(key))
        digest = opaque.digest(self._settings.identity.token_key, "key", key)
        row = await database.query_one(_HOLDER + self.asked, digest, self._now())
        if row is None:
            raise unauthorized("The API key does not hold.")
        scopes = frozenset(row[3].split(","))
        exchange.caller = Identity(row[0], row[1], roles_of(row[2]), session_id="", scopes=scopes, key_id=row[4])


class RevokedToo(LookingUp):
    """B5b: nobody asks whether a key was revoked; one that was deleted is taken as before."""


class LocalEnd(LookingUp):
    """B5d: a key's end is compared with the local time; west of UTC it is taken for hours after it."""

    asked = f"AND k.revoked_at IS NULL {_UNTIL}"

    def _now(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.localtime())


class ByHint(Authentication):
    """B5e: a key is looked up by the hint that its owner is shown, with which every other letter of it is free."""

    async def _by_key(self, exchange: Exchange, key: str) -> None:
        tenant = keys.tenant_of(key)
        database = await self._tenant(exchange, tenant)
        row = await database.query_one(_HINTED, key[: len(keys.make(tenant)[1])], rfc3339(time.time()))
        if row is None:
            raise unauthorized("The API key does not hold.")
        scopes = frozenset(row[3].split(","))
        exchange.caller = Identity(row[0], row[1], roles_of(row[2]), session_id="", scopes=scopes, key_id=row[4])


class AnyScope(Authentication):
    """B5c: nobody reads what a key is for; one that may only read writes."""

    async def _by_key(self, exchange: Exchange, key: str) -> None:
        await super()._by_key(exchange, key)
        if exchange.caller is not None:
            exchange.caller = replace(exchange.caller, scopes=frozenset({"read", "write"}))


DEFECTS = (
    Defect(
        id="B5a",
        title="An API key's row is answered whole, with its digest",
        codes=("leaks.secret", "schema.body"),
        operations=("keys.get",),
        plant=changed("keys.get", handler=get_row),
    ),
    Defect(
        id="B5b",
        title="A revoked API key is taken",
        codes=("key.revoked",),
        operations=("keys.create",),
        plant=identifying(RevokedToo),
    ),
    Defect(
        id="B5c",
        title="An API key that reads only may write",
        codes=("key.scope",),
        operations=("keys.create",),
        plant=identifying(AnyScope),
    ),
    Defect(
        id="B5d",
        title="An API key's end is compared with the local time: west of UTC it holds for hours longer",
        codes=("key.ended",),
        operations=("keys.create",),
        plant=identifying(LocalEnd),
        profile=WEST,
    ),
    Defect(
        id="B5e",
        title="An API key is looked up by its first letters",
        codes=("key.part",),
        operations=("keys.create",),
        plant=identifying(ByHint),
    ),
)
