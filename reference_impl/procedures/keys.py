"""API keys: made, listed and revoked by their user in a session, so that no key makes another."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import uuid_utils
from msgspec import UNSET

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import IN_SESSION, Call, Procedure, Reply
from reference_impl.data.database import Statement
from reference_impl.errors import not_found
from reference_impl.identity import keys, opaque
from reference_impl.procedures.key_types import Key, KeyInput, KeyPage, KeyQuery, NewKey, Scope, key_of
from reference_impl.procedures.paging import BY_OFFSET, NEWEST_FIRST, Pagination, Slice, page
from reference_impl.procedures.records import audit
from reference_impl.procedures.session_writes import told
from reference_impl.procedures.sessions import SECRET

if TYPE_CHECKING:
    from reference_impl.procedures.records import Steps

_COLUMNS = "id, name, hint, scopes, created_at, expires_at"
_OPEN = "FROM api_keys WHERE user_id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)"
_GET = f"SELECT {_COLUMNS} {_OPEN} AND id = ?"
_INSERT = (
    "INSERT INTO api_keys (id, user_id, name, hint, scopes, created_at, expires_at, key_hash) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_REVOKE = (
    "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND user_id = ? AND revoked_at IS NULL "
    "AND (expires_at IS NULL OR expires_at > ?) RETURNING id"
)
_ORDER: tuple[Scope, ...] = ("read", "write")


async def create_key(call: Call[KeyInput, None]) -> Reply:
    """Make a key; what is stored of it is a hash."""
    body = call.body
    secret, hint = keys.make(call.tenant)
    now_s = time.time()
    key = NewKey(
        id=str(uuid_utils.uuid7()),
        name=body.name,
        hint=hint,
        scopes=[scope for scope in _ORDER if scope == "read" or scope in body.scopes],
        created_at=rfc3339(now_s),
        key=secret,
        expires_at=UNSET if body.expires_in is UNSET else rfc3339(now_s + body.expires_in),
    )
    digest = opaque.digest(call.services.settings.identity.token_key, "key", secret)
    await call.database.transaction(partial(_insert, call.identity.user_id, key, digest))
    return Reply(key, (call.location(f"/auth/keys/{key.id}"), *SECRET))


def _insert(user_id: str, key: NewKey, digest: str) -> Steps:
    expires_at = None if key.expires_at is UNSET else key.expires_at
    values = (key.id, user_id, key.name, key.hint, ",".join(key.scopes), key.created_at, expires_at, digest)
    yield Statement(_INSERT, values)
    yield from audit(user_id, "keys.create", key.id, name=key.name, scopes=key.scopes)


async def list_keys(call: Call[None, KeyQuery]) -> Reply:
    """Return one page of the caller's keys that hold."""
    query = call.query
    whose = (call.identity.user_id, rfc3339(time.time()))
    part = Slice(query.limit, query.offset)
    rows, total = await call.database.read(partial(page, _COLUMNS, _OPEN, "created_at DESC, id DESC", whose, part))
    return Reply(KeyPage([key_of(row) for row in rows], Pagination(total, query.limit, query.offset)))


async def get_key(call: Call[None, None]) -> Reply:
    """Return one of the caller's keys."""
    row = await call.database.query_one(_GET, call.identity.user_id, rfc3339(time.time()), call.path["id"])
    if row is None:
        raise not_found("key")
    return Reply(key_of(row))


async def delete_key(call: Call[None, None]) -> Reply:
    """Revoke one of the caller's keys; it holds nowhere from then on, and what is open by it ends."""
    await call.database.transaction(partial(_revoke, call.identity.user_id, call.path["id"]))
    return Reply()


def _revoke(user_id: str, key_id: str) -> Steps:
    now = rfc3339(time.time())
    rows = yield Statement(_REVOKE, (now, key_id, user_id, now))
    if not rows:
        raise not_found("key")
    yield from audit(user_id, "keys.delete", key_id)
    yield from told(rows)


_READS = ["GET", "HEAD", "OPTIONS"]
_KEY = {
    "scheme": "key",
    "credential": "/key",
    "revoke": "keys.delete",
    "end": "/expiresIn",
    "until": "/expiresAt",
    "scopes": "/scopes",
    "grants": {"read": _READS, "write": [*_READS, "POST", "PUT", "PATCH", "DELETE"]},
}
_OWNER = {"owner": {"resource": "key", "stranger": 404}}

PROCEDURES = (
    Procedure(
        id="keys.list",
        method="GET",
        path="/auth/keys",
        summary="A page of the caller's API keys",
        handler=list_keys,
        access=IN_SESSION,
        limit="list",
        query=KeyQuery,
        output=KeyPage,
        promises={"page": BY_OFFSET, "sort": NEWEST_FIRST},
    ),
    Procedure(
        id="keys.create",
        method="POST",
        path="/auth/keys",
        summary="Make an API key, shown this once",
        description="What is kept is a digest. A key is asked for in a session, so that no key makes another.",
        handler=create_key,
        access=IN_SESSION,
        limit="create",
        input=KeyInput,
        output=NewKey,
        status=201,
        response_headers=("Location", "Cache-Control"),
        links=("keys.get", "keys.delete"),
        promises={"key": _KEY},
    ),
    Procedure(
        id="keys.get",
        method="GET",
        path="/auth/keys/{id}",
        summary="One API key of the caller's",
        handler=get_key,
        access=IN_SESSION,
        limit="get",
        output=Key,
        promises=_OWNER,
    ),
    Procedure(
        id="keys.delete",
        method="DELETE",
        path="/auth/keys/{id}",
        summary="Revoke an API key",
        handler=delete_key,
        access=IN_SESSION,
        limit="delete",
        status=204,
        promises={**_OWNER, "delete": {"kind": "soft", "gone": [404], "again": 404}},
    ),
)
