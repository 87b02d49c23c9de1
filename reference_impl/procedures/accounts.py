"""Register, log in, log out, who am I."""

from __future__ import annotations

import math
import time
from functools import partial

import msgspec
import uuid_utils

from reference_impl.clock import rfc3339
from reference_impl.contract.fields import Email, Name, Password  # noqa: TC001 - msgspec reads annotations
from reference_impl.contract.procedure import ANYONE, SIGNED_IN, Call, Procedure, Reply
from reference_impl.data.database import Row, Statement, Transaction
from reference_impl.errors import ApiError, unauthorized
from reference_impl.identity.tokens import Claims
from reference_impl.procedures.user_types import User, user_of
from reference_impl.procedures.users import BY_ID, create_user, location
from reference_impl.stores.limits import Rule

_BY_EMAIL = (
    "SELECT id, name, email, roles, created_at, updated_at, password_hash FROM users "
    "WHERE lower(email) = lower(?) AND deleted_at IS NULL"
)
_SESSION = "INSERT INTO sessions (id, user_id, created_at, expires_at) VALUES (?, ?, ?, ?)"
_STILL = "SELECT 1 FROM users WHERE id = ? AND deleted_at IS NULL"
_REVOKE = "UPDATE sessions SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
# Beside the failures of one account from one address, all failures of one address.
_ADDRESS_FACTOR = 10


class Registration(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A new account."""

    email: Email
    password: Password
    name: Name


class Credentials(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What logs in."""

    email: Email
    password: Password


class SignedIn(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A token, its life in seconds, and whose it is."""

    access_token: str
    token_type: str
    expires_in: int
    user: User


async def register(call: Call[Registration, None]) -> Reply:
    """Make an account with the role user."""
    body = call.body
    password_hash = await call.services.passwords.hash(body.password)
    user = await create_user(call.database, body.name, body.email, password_hash, ("user",))
    return Reply(user, location(call.base, user.id))


async def login(call: Call[Credentials, None]) -> Reply:
    """Open a session; failures do not tell which part was wrong and are limited."""
    body = call.body
    limits = call.services.settings.limits
    one = Rule("login.failures", limits.login_failures, limits.login_failure_window_s)
    all_of_address = Rule("login.address", limits.login_failures * _ADDRESS_FACTOR, limits.login_failure_window_s)
    keys = (
        (one, (call.tenant, call.address, body.email.lower())),
        (all_of_address, (call.tenant, call.address)),
    )
    # Counted before the password is looked at, so that concurrent guesses cannot pass the quota together.
    taken = []
    for rule, key in keys:
        decision = await call.services.limits.take(key, rule)
        taken.append((key, rule, decision))
        if not decision.allowed:
            wait_s = max(1, math.ceil(decision.reset_s))
            raise ApiError("RATE_LIMITED", "Too many failed logins.", headers=((b"retry-after", b"%d" % wait_s),))
    row = await call.database.query_one(_BY_EMAIL, body.email)
    if not await call.services.passwords.holds(row[6] if row else None, body.password) or row is None:
        raise unauthorized("E-mail and password do not fit an account.")
    for admission in taken:
        await call.services.limits.give_back(*admission)
    return Reply(await open_session(call, row))


async def open_session(call: Call[Credentials, None], row: Row) -> SignedIn:
    """Store a session of a user's row and sign its token."""
    session_id = str(uuid_utils.uuid7())
    life_s = call.services.tokens.life_s
    if not await call.database.transaction(partial(_insert_session, session_id, row[0], life_s)):
        raise unauthorized("E-mail and password do not fit an account.")
    token = call.services.tokens.sign(Claims(row[0], session_id, call.tenant))
    return SignedIn(access_token=token, token_type="Bearer", expires_in=life_s, user=user_of(row, whole=True))  # noqa: S106 - a scheme's name


def _insert_session(session_id: str, user_id: str, life_s: int) -> Transaction[bool]:
    if not (yield Statement(_STILL, (user_id,))):
        return False
    now = time.time()
    yield Statement(_SESSION, (session_id, user_id, rfc3339(now), rfc3339(now + life_s)))
    return True


async def logout(call: Call[None, None]) -> Reply:
    """End the session of the token that is sent."""
    await call.database.run(_REVOKE, rfc3339(time.time()), call.identity.session_id)
    return Reply()


async def me(call: Call[None, None]) -> Reply:
    """Return the caller's own record."""
    row = await call.database.query_one(BY_ID, call.identity.user_id)
    if row is None:
        raise unauthorized("The session is over.")
    return Reply(user_of(row, whole=True))


# Hashing is slow by intent.
_SLOW = {"objective": {"p95_ms": 1000, "error_ratio": 0.01}}

PROCEDURES = (
    Procedure(
        id="auth.register",
        method="POST",
        path="/auth/register",
        summary="Make an account",
        handler=register,
        access=ANYONE,
        limit="register",
        input=Registration,
        output=User,
        status=201,
        errors=("CONFLICT",),
        response_headers=("Location",),
        links=("users.get", "users.update", "users.delete"),
        promises=_SLOW,
    ),
    Procedure(
        id="auth.login",
        method="POST",
        path="/auth/login",
        summary="Open a session",
        handler=login,
        access=ANYONE,
        limit="login",
        input=Credentials,
        output=SignedIn,
        promises=_SLOW,
    ),
    Procedure(
        id="auth.logout",
        method="POST",
        path="/auth/logout",
        summary="End this session",
        handler=logout,
        access=SIGNED_IN,
        limit="update",
        status=204,
    ),
    Procedure(
        id="auth.me",
        method="GET",
        path="/auth/me",
        summary="The caller's own record",
        handler=me,
        access=SIGNED_IN,
        limit="get",
        output=User,
    ),
)
