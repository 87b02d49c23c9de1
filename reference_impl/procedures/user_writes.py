"""The writes of users: each one transaction with its audit row; what ends a user's access ends the sessions too."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import uuid_utils
from msgspec import UNSET

from reference_impl.clock import rfc3339
from reference_impl.data.database import Database, DatabaseError, Row, Statement, Transaction
from reference_impl.data.search import folded
from reference_impl.errors import ApiError, not_found
from reference_impl.procedures.records import audit
from reference_impl.procedures.session_writes import changed, end_all, told
from reference_impl.procedures.user_types import COLUMNS, Status, User, UserPatch, user_of

if TYPE_CHECKING:
    from reference_impl.contract.fields import Role
    from reference_impl.identity.tokens import Identity
    from reference_impl.procedures.records import Steps

BY_ID = f"SELECT {COLUMNS} FROM users WHERE id = ? AND deleted_at IS NULL"  # noqa: S608 - constants only
# An e-mail in use gives no row, and spoils no transaction.
_INSERT = (
    "INSERT INTO users (id, email, name, search_text, roles, password_hash, created_at, updated_at) "  # noqa: S608 - constants only
    f"VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING {COLUMNS}"
)
_UPDATE = (
    "UPDATE users SET name = coalesce(?, name), search_text = coalesce(?, search_text), email = coalesce(?, email), "  # noqa: S608 - constants only
    f"updated_at = ? WHERE id = ? AND deleted_at IS NULL RETURNING {COLUMNS}"
)
_ROLES = f"UPDATE users SET roles = ?, updated_at = ? WHERE id = ? AND deleted_at IS NULL RETURNING {COLUMNS}"  # noqa: S608 - constants only
_STATUS = "UPDATE users SET status = ?, updated_at = ? WHERE id = ?"
_DELETE = "UPDATE users SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL RETURNING id"
# A suspended admin cannot act, so counts for none.
_OTHER_ADMINS = (
    "SELECT COUNT(*) FROM users WHERE deleted_at IS NULL AND status = 'active' AND id <> ? "
    "AND ',' || roles || ',' LIKE '%,admin,%'"
)


class Account(NamedTuple):
    """A user about to be made; without a password only the OAuth2 provider signs in."""

    name: str
    email: str
    password_hash: str | None
    roles: tuple[Role, ...] = ("user",)


async def create_user(database: Database, account: Account, actor_id: str = "") -> User:
    """Insert a user; CONFLICT when the e-mail is taken. Without an actor it is the user's own doing."""
    row = await database.transaction(partial(insert, account, actor_id))
    if row is None:
        raise taken()
    return user_of(row, whole=True)


def insert(account: Account, actor_id: str) -> Transaction[Row | None]:
    """Write the row and its audit row; None when the e-mail is taken."""
    now = rfc3339(time.time())
    user_id = str(uuid_utils.uuid7())
    name, email, password_hash, roles = account
    values = (user_id, email, name, folded(name), ",".join(roles), password_hash, now, now)
    rows = yield Statement(_INSERT, values)
    if not rows:
        return None
    yield from audit(actor_id or user_id, "users.create", user_id, roles=list(roles))
    return rows[0]


def taken() -> ApiError:
    """Return the CONFLICT for an e-mail in use."""
    return ApiError("CONFLICT", "The e-mail belongs to another account.")


def may_see(identity: Identity, user_id: str) -> bool:
    """Say whether e-mail and roles of a user are the caller's business, and the record theirs to change."""
    return identity.admin or identity.user_id == user_id


def own(identity: Identity, user_id: str) -> Transaction[Row]:
    """Return the row; NOT_FOUND when there is no such user, FORBIDDEN when it is not the caller's to change."""
    rows = yield Statement(BY_ID, (user_id,))
    if not rows:
        raise not_found("user")
    if not may_see(identity, user_id):
        raise ApiError("FORBIDDEN", "This record is another user's.")
    return rows[0]


def change(identity: Identity, user_id: str, body: UserPatch) -> Transaction[Row]:
    """Write a patch to a record that is the caller's to change."""
    yield from own(identity, user_id)
    return (yield from write(identity.user_id, user_id, body))


def write(actor_id: str, user_id: str, body: UserPatch) -> Transaction[Row]:
    """Write a patch; CONFLICT when the e-mail is taken."""
    name = None if body.name is UNSET else body.name
    email = None if body.email is UNSET else body.email
    search = None if name is None else folded(name)
    try:
        rows = yield Statement(_UPDATE, (name, search, email, rfc3339(time.time()), user_id))
    except DatabaseError as error:
        raise (taken() if error.category == "unique" else error) from error
    if not rows:
        raise not_found("user")
    members = [member for member in body.__struct_fields__ if getattr(body, member) is not UNSET]
    yield from audit(actor_id, "users.update", user_id, members=members)
    return rows[0]


def write_roles(actor_id: str, user_id: str, roles: tuple[str, ...]) -> Transaction[Row]:
    """Give exactly these roles."""
    found = yield Statement(BY_ID, (user_id,))
    if not found:
        raise not_found("user")
    if "admin" not in roles:
        yield from keep_an_admin(actor_id, found[0])
    rows = yield Statement(_ROLES, (",".join(roles), rfc3339(time.time()), user_id))
    yield from audit(actor_id, "users.roles", user_id, roles=list(roles))
    yield from changed(user_id)
    return rows[0]


def keep_an_admin(actor_id: str, row: Row) -> Transaction[None]:
    """CONFLICT when this is the tenant's only admin, or an admin about to shut themself out."""
    if "admin" not in row[3].split(","):
        return
    if row[0] == actor_id or (yield Statement(_OTHER_ADMINS, (row[0],)))[0][0] == 0:
        raise ApiError("CONFLICT", "No admin ends their own role, nor the last one's: let another admin do it.")


def write_status(actor_id: str, user_id: str, status: Status) -> Transaction[list[Row] | None]:
    """Suspend or let in again and return the sessions that ended, which `told` is to tell of, and `changed` of him.

    None when there is no such user or nobody could let them in again.
    """
    found = yield Statement(BY_ID, (user_id,))
    if not found:
        return None
    if found[0][6] == status:
        return []
    now = rfc3339(time.time())
    ended: list[Row] = []
    if status == "suspended":
        try:
            yield from keep_an_admin(actor_id, found[0])
        except ApiError:
            return None
    yield Statement(_STATUS, (status, now, user_id))
    if status == "suspended":
        ended = yield from end_all(user_id, now)
    yield from audit(actor_id, "users.status", user_id, status=status)
    return ended


def remove(identity: Identity, user_id: str) -> Steps:
    """Delete a record that is the caller's to change."""
    yield from own(identity, user_id)
    yield from remove_user(identity.user_id, user_id)


def remove_user(actor_id: str, user_id: str) -> Steps:
    """Mark the row deleted and end the sessions."""
    found = yield Statement(BY_ID, (user_id,))
    if not found:
        raise not_found("user")
    yield from keep_an_admin(actor_id, found[0])
    now = rfc3339(time.time())
    yield Statement(_DELETE, (now, user_id))
    ended = yield from end_all(user_id, now)
    yield from audit(actor_id or user_id, "users.delete", user_id)
    yield from told(ended)
    yield from changed(user_id)
