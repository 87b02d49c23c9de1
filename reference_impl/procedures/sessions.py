"""Sessions: opened by a login, renewed by their newest refresh token, listed and ended by their user."""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import uuid_utils

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import ANYONE, IN_SESSION, Call, Procedure, Reply
from reference_impl.contract.promises import CREDENTIALS
from reference_impl.errors import not_found, unauthorized
from reference_impl.identity import cookies, opaque
from reference_impl.identity.tokens import Claims
from reference_impl.procedures import session_writes
from reference_impl.procedures.paging import BY_OFFSET, Pagination, Slice, page
from reference_impl.procedures.session_types import Renewal, Session, SessionPage, SessionQuery, SignedIn
from reference_impl.procedures.user_types import user_of

if TYPE_CHECKING:
    from reference_impl.data.database import Row

# What holds a token is kept by nobody on the way (RFC 6749, 5.1).
SECRET = ((b"cache-control", b"no-store"),)
_COLUMNS = "id, created_at, expires_at"
_OPEN = "FROM sessions WHERE user_id = ? AND revoked_at IS NULL AND expires_at > ?"


async def open_session(call: Call[Any, Any], row: Row, *, cookie: bool) -> Reply | None:
    """Open a session of a user's row; None when the user is suspended or just deleted."""
    identity = call.services.settings.identity
    now_s = time.time()
    token = opaque.make()
    opening = session_writes.Opening(
        session_id=str(uuid_utils.uuid7()),
        token_hash=opaque.digest(identity.token_key, "refresh", token),
        now=rfc3339(now_s),
        expires_at=rfc3339(now_s + identity.refresh_life_s),
    )
    if not await call.database.transaction(partial(session_writes.insert, row[0], opening)):
        return None
    renewed = _Renewed(opening.session_id, token, identity.refresh_life_s)
    return _signed_in(call, row, renewed, cookie=cookie)


class _Renewed(NamedTuple):
    """A session with its newest refresh token and what is left of its life."""

    session_id: str
    refresh_token: str
    life_s: int


def _signed_in(call: Call[Any, Any], row: Row, renewed: _Renewed, *, cookie: bool) -> Reply:
    """Sign the access token of a session, within the session's own life; a browser gets it as a cookie too."""
    access_token = call.services.tokens.sign(Claims(row[0], renewed.session_id, call.tenant))
    life_s = min(call.services.tokens.life_s, renewed.life_s)
    answer = SignedIn(
        access_token=access_token,
        token_type="Bearer",  # noqa: S106 - a scheme's name
        expires_in=life_s,
        refresh_token=renewed.refresh_token,
        refresh_expires_in=renewed.life_s,
        user=user_of(row, whole=True),
    )
    if not cookie:
        return Reply(answer, SECRET)
    key = call.services.settings.identity.token_key
    issued = cookies.issue(key, renewed.session_id, access_token, life_s, secure=call.secure)
    return Reply(answer, (*SECRET, *issued))


async def refresh(call: Call[Renewal, None]) -> Reply:
    """Give the next pair of tokens; a token that was spent before ends its session."""
    key = call.services.settings.identity.token_key
    now_s = time.time()
    token = opaque.make()
    spent_hash, token_hash = (opaque.digest(key, "refresh", one) for one in (call.body.refresh_token, token))
    row = await call.database.transaction(partial(session_writes.rotate, spent_hash, token_hash, rfc3339(now_s)))
    if row is None:
        raise unauthorized("The refresh token does not hold: log in again.")
    left_s = max(0, int(datetime.fromisoformat(row[8]).timestamp() - now_s))
    return _signed_in(call, row, _Renewed(row[7], token, left_s), cookie=call.body.cookie)


async def list_sessions(call: Call[None, SessionQuery]) -> Reply:
    """Return one page of the caller's open sessions."""
    query = call.query
    identity = call.identity
    whose = (identity.user_id, rfc3339(time.time()))
    part = Slice(query.limit, query.offset)
    rows, total = await call.database.read(partial(page, _COLUMNS, _OPEN, "created_at DESC, id DESC", whose, part))
    sessions = [Session(row[0], row[1], row[2], row[0] == identity.session_id) for row in rows]
    return Reply(SessionPage(sessions, Pagination(total, query.limit, query.offset)))


async def revoke_session(call: Call[None, None]) -> Reply:
    """End one of the caller's sessions; it holds nowhere from then on."""
    ending = partial(session_writes.end, call.identity.user_id, call.path["id"], rfc3339(time.time()))
    if not await call.database.transaction(ending):
        raise not_found("session")
    return Reply()


# Where the pair of a login stands; who brings a spent token back ends the session for both.
_ONCE = {"token": "/refreshToken", "next": "/refreshToken", "given": "auth.login", "family": True, "refused": 401}

PROCEDURES = (
    Procedure(
        id="auth.refresh",
        method="POST",
        path="/auth/refresh",
        summary="Get the next pair of tokens for the newest refresh token, which is good for one use",
        description="A token that was used before ends the whole session: somebody else has it too.",
        handler=refresh,
        access=ANYONE,
        limit="refresh",
        input=Renewal,
        output=SignedIn,
        response_headers=("Cache-Control", "Set-Cookie"),
        promises={"credentials": {**CREDENTIALS, "once": _ONCE}},
    ),
    Procedure(
        id="sessions.list",
        method="GET",
        path="/auth/sessions",
        summary="A page of the caller's open sessions",
        handler=list_sessions,
        access=IN_SESSION,
        limit="list",
        query=SessionQuery,
        output=SessionPage,
        promises={"page": BY_OFFSET},
    ),
    Procedure(
        id="sessions.revoke",
        method="DELETE",
        path="/auth/sessions/{id}",
        summary="End one of the caller's sessions",
        handler=revoke_session,
        access=IN_SESSION,
        limit="delete",
        status=204,
    ),
)
