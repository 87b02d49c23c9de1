"""Register, log in, log out, who am I."""

from __future__ import annotations

import math
import time
from functools import partial
from typing import TYPE_CHECKING

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import ANYONE, IN_SESSION, SIGNED_IN, Call, Procedure, Reply
from reference_impl.errors import ApiError, unauthorized
from reference_impl.identity import cookies
from reference_impl.identity.addresses import counted
from reference_impl.procedures import session_writes
from reference_impl.procedures.session_types import Credentials, Registration, SignedIn
from reference_impl.procedures.sessions import open_session
from reference_impl.procedures.user_types import COLUMNS, User, user_of
from reference_impl.procedures.user_writes import BY_ID, Account, create_user
from reference_impl.stores.limits import Rule

if TYPE_CHECKING:
    from reference_impl.data.database import Row

_BY_EMAIL = f"SELECT {COLUMNS}, password_hash FROM users WHERE lower(email) = lower(?) AND deleted_at IS NULL"  # noqa: S608 - constants only
# Unless it was changed since it was read.
_RENEW = "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?"
# Beside the failures of one account from one address, all failures of one address.
_ADDRESS_FACTOR = 10
_WRONG = "E-mail and password do not fit an account."


async def register(call: Call[Registration, None]) -> Reply:
    """Make an account with the role user."""
    body = call.body
    password_hash = await call.services.passwords.hash(body.password)
    user = await create_user(call.database, Account(body.name, body.email, password_hash))
    return Reply(user, (call.location(f"/users/{user.id}"),))


async def login(call: Call[Credentials, None]) -> Reply:
    """Open a session; failures do not tell which part was wrong and are limited."""
    limits = call.services.settings.limits
    one = Rule("login.failures", limits.login_failures, limits.login_failure_window_s)
    all_of_address = Rule("login.address", limits.login_failures * _ADDRESS_FACTOR, limits.login_failure_window_s)
    address = counted(call.address)
    keys = ((one, (call.tenant, address, call.body.email.lower())), (all_of_address, (call.tenant, address)))
    # Counted before the password is looked at, so that concurrent guesses cannot pass the quota together.
    taken = []
    for rule, key in keys:
        decision = await call.services.limits.take(key, rule)
        taken.append((key, rule, decision))
        if not decision.allowed:
            wait_s = max(1, math.ceil(decision.reset_s))
            raise ApiError("RATE_LIMITED", "Too many failed logins.", headers=((b"retry-after", b"%d" % wait_s),))
    row = await _fitting(call)
    reply = await open_session(call, row, cookie=call.body.cookie) if row else None
    if reply is None:  # suspended and deleted accounts are told as little
        raise unauthorized(_WRONG)
    for admission in taken:
        await call.services.limits.give_back(*admission)
    return reply


async def _fitting(call: Call[Credentials, None]) -> Row | None:
    """Return the row of the account that e-mail and password fit; a hash of other costs than today's is made anew."""
    row = await call.database.query_one(_BY_EMAIL, call.body.email)
    passwords = call.services.passwords
    if not await passwords.holds(row[7] if row else None, call.body.password) or row is None:
        return None
    if passwords.aged(row[7]):
        await call.database.run(_RENEW, await passwords.hash(call.body.password), row[0], row[7])
    return row


async def logout(call: Call[None, None]) -> Reply:
    """End the session of the token that is sent; a browser forgets its cookies."""
    identity = call.identity
    ending = partial(session_writes.end, identity.user_id, identity.session_id, rfc3339(time.time()))
    await call.database.transaction(ending)
    return Reply(headers=cookies.clear(secure=call.secure) if "cookie" in call.headers else ())


async def me(call: Call[None, None]) -> Reply:
    """Return the caller's own record."""
    row = await call.database.query_one(BY_ID, call.identity.user_id)
    if row is None:
        raise unauthorized("The session is over.")
    return Reply(user_of(row, whole=True))


# Hashing is slow by intent.
_SLOW = {"objective": {"p95_ms": 1000, "error_ratio": 0.01}}
_BROWSER = {
    "cookie": {
        "scheme": "cookie",
        "with": {"cookie": True},
        "token": {"scheme": "csrf", "cookie": cookies.CSRF},
        "origin": True,
        "out": "auth.logout",
        "refused": 403,
    }
}

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
        description="Failures count against quotas by e-mail and address. With `cookie` a browser is logged in.",
        handler=login,
        access=ANYONE,
        limit="login",
        input=Credentials,
        output=SignedIn,
        response_headers=("Cache-Control", "Set-Cookie"),
        promises={**_SLOW, **_BROWSER},
    ),
    Procedure(
        id="auth.logout",
        method="POST",
        path="/auth/logout",
        summary="End this session",
        handler=logout,
        access=IN_SESSION,
        limit="update",
        status=204,
        response_headers=("Set-Cookie",),
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
