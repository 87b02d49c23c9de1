"""The writes of sessions: opened by a login, renewed by refreshing, ended; each end is told to open connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reference_impl.data.database import Row, Statement, Transaction
from reference_impl.procedures.records import emit
from reference_impl.realtime.standing import SESSIONS

if TYPE_CHECKING:
    from reference_impl.procedures.records import Steps

# Who may be signed in.
_MAY = "SELECT 1 FROM users WHERE id = ? AND deleted_at IS NULL AND status = 'active'"
_SESSION = "INSERT INTO sessions (id, user_id, created_at, expires_at) VALUES (?, ?, ?, ?)"
_TOKEN = "INSERT INTO refresh_tokens (token_hash, session_id, created_at, expires_at) VALUES (?, ?, ?, ?)"  # noqa: S105 - SQL
_SPEND = "UPDATE refresh_tokens SET spent_at = ? WHERE token_hash = ? AND spent_at IS NULL RETURNING session_id"
_FAMILY = "SELECT session_id FROM refresh_tokens WHERE token_hash = ?"
_HOLDER = (
    "SELECT u.id, u.name, u.email, u.roles, u.created_at, u.updated_at, u.status, s.id, s.expires_at "
    "FROM sessions s JOIN users u ON u.id = s.user_id "
    "WHERE s.id = ? AND s.revoked_at IS NULL AND s.expires_at > ? AND u.deleted_at IS NULL AND u.status = 'active'"
)
_END = "UPDATE sessions SET revoked_at = ? WHERE id = ? AND user_id = ? AND revoked_at IS NULL RETURNING id"
_END_FAMILY = "UPDATE sessions SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL RETURNING id"
_END_ALL = "UPDATE sessions SET revoked_at = ? WHERE user_id = ? AND revoked_at IS NULL RETURNING id"


class Opening(NamedTuple):
    """A session about to be opened; times are RFC 3339."""

    session_id: str
    token_hash: str
    now: str
    expires_at: str


def insert(user_id: str, opening: Opening) -> Transaction[bool]:
    """Open a session with its first refresh token; False when the user is gone or suspended."""
    if not (yield Statement(_MAY, (user_id,))):
        return False
    yield Statement(_SESSION, (opening.session_id, user_id, opening.now, opening.expires_at))
    yield Statement(_TOKEN, (opening.token_hash, opening.session_id, opening.now, opening.expires_at))
    return True


def rotate(spent_hash: str, token_hash: str, now: str) -> Transaction[Row | None]:
    """Spend one refresh token for the next and return the holder's row; None when it does not hold.

    A token that comes back after it was spent is in two hands, whosever they are: its session ends (RFC 9700, 4.14.2).
    """
    rows = yield Statement(_SPEND, (now, spent_hash))
    if not rows:
        family = yield Statement(_FAMILY, (spent_hash,))
        if family:
            yield from told((yield Statement(_END_FAMILY, (now, family[0][0]))))
        return None
    holders = yield Statement(_HOLDER, (rows[0][0], now))
    if not holders:
        return None
    # However often it is renewed, a session ends when its login said.
    yield Statement(_TOKEN, (token_hash, holders[0][7], now, holders[0][8]))
    return holders[0]


def end(user_id: str, session_id: str, now: str) -> Transaction[bool]:
    """End one session of a user's; False when none such is open."""
    ended = yield Statement(_END, (now, session_id, user_id))
    yield from told(ended)
    return bool(ended)


def end_all(user_id: str, now: str) -> Transaction[list[Row]]:
    """End every session of a user and return them; `told` is to follow as the body's last step."""
    return (yield Statement(_END_ALL, (now, user_id)))


def told(ended: list[Row]) -> Steps:
    """Tell open connections which sessions, or keys, ended."""
    for (session_id,) in sorted(ended):
        yield from emit(SESSIONS, "revoked", id=session_id)


def changed(user_id: str) -> Steps:
    """Tell a user's open connections, by session or by key, that what he may is another; as a body's last step."""
    yield from emit(SESSIONS, "changed", userId=user_id)
