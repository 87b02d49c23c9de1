"""Tickets: what a browser, which cannot set headers, opens a WebSocket with; short, signed, good for one use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import jwt
import uuid_utils

from reference_impl.errors import unauthorized
from reference_impl.identity.tokens import Claims, Identity, identify
from reference_impl.stores.limits import Rule

if TYPE_CHECKING:
    from reference_impl.data.database import Database
    from reference_impl.stores.limits import Limits

LIFE_S = 30
_AUDIENCE = "reference-impl-sockets"
_ALGORITHM = "HS256"
_REQUIRED = ["exp", "aud", "sub", "sid", "ten", "jti"]
# One use, counted where all workers count.
_USE = Rule("sockets.ticket", 1, 2.0 * LIFE_S)


def issue(key: str, tenant: str, identity: Identity) -> str:
    """Return a ticket for the holder of a session."""
    payload = {
        "aud": _AUDIENCE,
        "exp": int(time.time()) + LIFE_S,
        "sub": identity.user_id,
        "sid": identity.session_id,
        "ten": tenant,
        "jti": str(uuid_utils.uuid4()),
    }
    return jwt.encode(payload, key, algorithm=_ALGORITHM)


async def redeem(ticket: str, key: str, tenant: str, database: Database, limits: Limits) -> Identity:
    """Return whose ticket it is; UNAUTHORIZED when it is spent, expired, forged or another tenant's."""
    try:
        payload = jwt.decode(ticket, key, algorithms=[_ALGORITHM], audience=_AUDIENCE, options={"require": _REQUIRED})
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise unauthorized("The ticket does not hold.") from error
    if payload["ten"] != tenant:
        raise unauthorized("The ticket is of another tenant.")
    if not (await limits.take((tenant, payload["jti"]), _USE)).allowed:
        raise unauthorized("The ticket was used.")
    return await identify(database, Claims(payload["sub"], payload["sid"], tenant))
