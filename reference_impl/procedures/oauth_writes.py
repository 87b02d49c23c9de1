"""The writes of logins by a provider: a state is good once, an account is found by issuer and subject."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reference_impl.contract.fields import EMAIL
from reference_impl.data.database import Row, Statement, Transaction
from reference_impl.errors import ApiError
from reference_impl.procedures.user_types import COLUMNS
from reference_impl.procedures.user_writes import Account, insert

if TYPE_CHECKING:
    from reference_impl.identity.id_token import Person
    from reference_impl.procedures.records import Steps

STATE_LIFE_S = 600
_LONGEST_NAME = 200
_FORGET = "DELETE FROM oauth_states WHERE expires_at <= ?"
_BEGIN = "INSERT INTO oauth_states (state_hash, verifier, nonce, created_at, expires_at) VALUES (?, ?, ?, ?, ?)"
_TAKE = "DELETE FROM oauth_states WHERE state_hash = ? RETURNING verifier, nonce, created_at, expires_at"
_LINKED = (
    f"SELECT {COLUMNS} FROM users WHERE deleted_at IS NULL "  # noqa: S608 - constants only
    "AND id = (SELECT user_id FROM oauth_accounts WHERE issuer = ? AND subject = ?)"
)
# The account of a deleted user is made anew.
_LINK = (
    "INSERT INTO oauth_accounts (issuer, subject, user_id, created_at) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (issuer, subject) DO UPDATE SET user_id = excluded.user_id, created_at = excluded.created_at"
)


class Login(NamedTuple):
    """What a login that was begun needs for its end."""

    verifier: str
    nonce: str
    created_at: str
    expires_at: str


def begin(state_hash: str, login: Login) -> Steps:
    """Keep a login until its end; those never ended are forgotten."""
    yield Statement(_FORGET, (login.created_at,))
    yield Statement(_BEGIN, (state_hash, *login))


def take(state_hash: str, now: str) -> Transaction[Login | None]:
    """Return a login that was begun, once; None when it is unknown, used or too old."""
    rows = yield Statement(_TAKE, (state_hash,))
    return Login(*rows[0]) if rows and rows[0][3] > now else None


def person_row(issuer: str, person: Person) -> Transaction[Row]:
    """Return the user's row, made where there is none.

    FORBIDDEN without a verified e-mail, CONFLICT where another account has it: who owns the address at the provider
    need not own the account here.
    """
    linked = yield Statement(_LINKED, (issuer, person.subject))
    if linked:
        return linked[0]
    if not re.fullmatch(EMAIL, person.email):
        raise ApiError("FORBIDDEN", "The provider has not verified an e-mail of yours.")
    name = person.name.replace("\0", "")[:_LONGEST_NAME] or person.email.partition("@")[0]
    row = yield from insert(Account(name, person.email, None), "")
    if row is None:
        raise ApiError("CONFLICT", "The e-mail belongs to another account: log in to it with its password.")
    yield Statement(_LINK, (issuer, person.subject, row[0], row[4]))
    return row
