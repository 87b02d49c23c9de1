"""API keys: `rk_{tenant}_{secret}`, looked up by their hash on each request, with their user as he is now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reference_impl.clock import rfc3339
from reference_impl.errors import unauthorized
from reference_impl.identity import opaque
from reference_impl.identity.tokens import Identity, roles_of

if TYPE_CHECKING:
    from reference_impl.data.database import Database

_HINT_LENGTH = 4
_KEY = (
    "SELECT u.id, u.name, u.roles, k.scopes, k.id FROM api_keys k JOIN users u ON u.id = k.user_id "
    "WHERE k.key_hash = ? AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?) "
    "AND u.deleted_at IS NULL AND u.status = 'active'"
)


def make(tenant: str) -> tuple[str, str]:
    """Return a new key and the hint by which its owner knows it again."""
    prefix = f"rk_{tenant}_"
    key = opaque.make(prefix)
    return key, key[: len(prefix) + _HINT_LENGTH]


def tenant_of(key: str) -> str:
    """Return the tenant a key is of; UNAUTHORIZED when it has not the form of one."""
    parts = key.split("_", 2)
    if len(parts) != 3 or parts[0] != "rk":  # noqa: PLR2004 - the three parts of a key
        raise unauthorized("The API key does not hold.")
    return parts[1]


async def identify(database: Database, hash_key: str, key: str) -> Identity:
    """Return whose key it is; UNAUTHORIZED when it is unknown, expired or revoked, or its user gone or suspended."""
    row = await database.query_one(_KEY, opaque.digest(hash_key, "key", key), rfc3339(time.time()))
    if row is None:
        raise unauthorized("The API key does not hold.")
    scopes = frozenset(row[3].split(","))
    return Identity(row[0], row[1], roles_of(row[2]), session_id="", scopes=scopes, key_id=row[4])
