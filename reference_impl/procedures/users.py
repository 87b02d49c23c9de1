"""User records: read when signed in, e-mail and roles only by the user and admins, changed by the same."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import uuid_utils
from msgspec import UNSET

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import ADMIN, SIGNED_IN, Call, Headers, Procedure, Reply
from reference_impl.data.database import Database, DatabaseError, Row, Statement, Transaction
from reference_impl.data.search import containing, folded
from reference_impl.errors import ApiError, not_found
from reference_impl.procedures.session_writes import end_all
from reference_impl.procedures.user_types import (
    NewUser,
    Pagination,
    User,
    UserPage,
    UserPatch,
    UserQuery,
    UserRoles,
    user_of,
)

if TYPE_CHECKING:
    from reference_impl.contract.fields import Role
    from reference_impl.identity.tokens import Identity

BY_ID = "SELECT id, name, email, roles, created_at, updated_at FROM users WHERE id = ? AND deleted_at IS NULL"
_INSERT = (
    "INSERT INTO users (id, email, name, search_text, roles, password_hash, created_at, updated_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_LIST = (
    "SELECT id, name, email, roles, created_at, updated_at FROM users WHERE deleted_at IS NULL{} "
    "ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"
)
_COUNT = "SELECT COUNT(*) FROM users WHERE deleted_at IS NULL{}"
_BY_NAME = r" AND search_text LIKE ? ESCAPE '\'"
# An admin's search sees e-mails too; for others that would tell who has which.
_BY_EITHER = r" AND (search_text LIKE ? ESCAPE '\' OR lower(email) LIKE ? ESCAPE '\')"
_UPDATE = (
    "UPDATE users SET name = coalesce(?, name), search_text = coalesce(?, search_text), email = coalesce(?, email), "
    "updated_at = ? WHERE id = ? AND deleted_at IS NULL RETURNING id, name, email, roles, created_at, updated_at"
)
_ROLES = (
    "UPDATE users SET roles = ?, updated_at = ? WHERE id = ? AND deleted_at IS NULL "
    "RETURNING id, name, email, roles, created_at, updated_at"
)
_DELETE = "UPDATE users SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL RETURNING id"
_OTHER_ADMINS = (
    "SELECT COUNT(*) FROM users WHERE deleted_at IS NULL AND id <> ? AND ',' || roles || ',' LIKE '%,admin,%'"
)
_ORDER = ("user", "seller", "admin")


def may_see(identity: Identity, user_id: str) -> bool:
    """Say whether e-mail and roles of a user are the caller's business, and the record theirs to change."""
    return identity.admin or identity.user_id == user_id


def location(base: str, user_id: str) -> Headers:
    """Return where a user is."""
    return ((b"location", f"{base}/api/v1/users/{user_id}".encode()),)


async def create_user(database: Database, name: str, email: str, password_hash: str, roles: tuple[Role, ...]) -> User:
    """Insert a user; CONFLICT when the e-mail is taken."""
    now = rfc3339(time.time())
    user_id = str(uuid_utils.uuid7())
    try:
        values = (user_id, email, name, folded(name), ",".join(roles), password_hash, now, now)
        await database.run(_INSERT, *values)
    except DatabaseError as error:
        raise taken(error) from error
    return User(id=user_id, name=name, created_at=now, updated_at=now, email=email, roles=list(roles))


def taken(error: DatabaseError) -> Exception:
    """Return the CONFLICT for an e-mail in use, or the error itself."""
    if error.category == "unique":
        return ApiError("CONFLICT", "The e-mail belongs to another account.")
    return error


async def list_users(call: Call[None, UserQuery]) -> Reply:
    """Return one page."""
    query = call.query
    identity = call.identity
    rows, total = await call.database.read(partial(_page, query, admin=identity.admin))
    users = [user_of(row, whole=may_see(identity, row[0])) for row in rows]
    return Reply(UserPage(users, Pagination(total, query.limit, query.offset)))


def _page(query: UserQuery, *, admin: bool) -> Transaction[tuple[list[Row], int]]:
    where, search = "", tuple[str, ...]()
    if query.search:
        where = _BY_EITHER if admin else _BY_NAME
        search = (containing(query.search),) * where.count("?")
    rows = yield Statement(_LIST.format(where), (*search, query.limit, query.offset))
    count = yield Statement(_COUNT.format(where), search)
    return rows, count[0][0]


async def get_user(call: Call[None, None]) -> Reply:
    """Return one user."""
    row = await call.database.query_one(BY_ID, call.path["id"])
    if row is None:
        raise not_found("user")
    return Reply(user_of(row, whole=may_see(call.identity, row[0])))


async def make_user(call: Call[NewUser, None]) -> Reply:
    """Make an account for someone else."""
    body = call.body
    password_hash = await call.services.passwords.hash(body.password)
    user = await create_user(call.database, body.name, body.email, password_hash, ("user",))
    return Reply(user, location(call.base, user.id))


async def update_user(call: Call[UserPatch, None]) -> Reply:
    """Change a record: the user's own, or any by an admin."""
    await _own(call)
    return Reply(await change_user(call))


async def _own(call: Call[UserPatch, None] | Call[None, None]) -> None:
    """NOT_FOUND when there is no such user, FORBIDDEN when it is not the caller's to change."""
    if await call.database.query_one(BY_ID, call.path["id"]) is None:
        raise not_found("user")
    if not may_see(call.identity, call.path["id"]):
        raise ApiError("FORBIDDEN", "This record is another user's.")


async def change_user(call: Call[UserPatch, None]) -> User:
    """Write a patch."""
    body = call.body
    name = None if body.name is UNSET else body.name
    email = None if body.email is UNSET else body.email
    try:
        search = None if name is None else folded(name)
        rows = await call.database.run(_UPDATE, name, search, email, rfc3339(time.time()), call.path["id"])
    except DatabaseError as error:
        raise taken(error) from error
    if not rows:
        raise not_found("user")
    return user_of(rows[0], whole=True)


async def set_roles(call: Call[UserRoles, None]) -> Reply:
    """Give a user exactly these roles; effective on the next request."""
    roles = tuple(role for role in _ORDER if role in {"user", *call.body.roles})
    row = await call.database.transaction(partial(_write_roles, call.identity.user_id, call.path["id"], roles))
    return Reply(user_of(row, whole=True))


def _write_roles(actor_id: str, user_id: str, roles: tuple[str, ...]) -> Transaction[Row]:
    found = yield Statement(BY_ID, (user_id,))
    if not found:
        raise not_found("user")
    if "admin" not in roles:
        yield from keep_an_admin(actor_id, found[0])
    rows = yield Statement(_ROLES, (",".join(roles), rfc3339(time.time()), user_id))
    return rows[0]


def keep_an_admin(actor_id: str, row: Row) -> Transaction[None]:
    """CONFLICT when this is the tenant's only admin, or an admin about to shut themself out."""
    if "admin" not in row[3].split(","):
        return
    if row[0] == actor_id or (yield Statement(_OTHER_ADMINS, (row[0],)))[0][0] == 0:
        raise ApiError("CONFLICT", "No admin ends their own role, nor the last one's: let another admin do it.")


async def delete_user(call: Call[None, None]) -> Reply:
    """Delete a record: sessions end, orders stay."""
    await _own(call)
    await call.database.transaction(partial(remove_user, call.identity.user_id, call.path["id"]))
    return Reply()


def remove_user(actor_id: str, user_id: str) -> Transaction[None]:
    """Mark the row deleted and end the sessions."""
    found = yield Statement(BY_ID, (user_id,))
    if not found:
        raise not_found("user")
    yield from keep_an_admin(actor_id, found[0])
    now = rfc3339(time.time())
    yield Statement(_DELETE, (now, user_id))
    yield from end_all(user_id, now)


_OWNER = {"owner": {"resource": "user", "self": True, "roles": ["admin"], "stranger": 403}}

PROCEDURES = (
    Procedure(
        id="users.list",
        method="GET",
        path="/users",
        summary="A page of users",
        handler=list_users,
        access=SIGNED_IN,
        limit="list",
        query=UserQuery,
        output=UserPage,
    ),
    Procedure(
        id="users.create",
        method="POST",
        path="/users",
        summary="Make an account for someone else",
        handler=make_user,
        access=ADMIN,
        limit="create",
        input=NewUser,
        output=User,
        status=201,
        errors=("CONFLICT",),
        response_headers=("Location",),
        links=("users.get", "users.update", "users.roles", "users.delete"),
        promises={"objective": {"p95_ms": 1000, "error_ratio": 0.01}},
    ),
    Procedure(
        id="users.get",
        method="GET",
        path="/users/{id}",
        summary="One user",
        handler=get_user,
        access=SIGNED_IN,
        limit="get",
        output=User,
    ),
    Procedure(
        id="users.update",
        method="PATCH",
        path="/users/{id}",
        summary="Change a user",
        handler=update_user,
        access=SIGNED_IN,
        limit="update",
        input=UserPatch,
        partial=True,
        output=User,
        errors=("FORBIDDEN", "CONFLICT"),
        promises=_OWNER,
    ),
    Procedure(
        id="users.delete",
        method="DELETE",
        path="/users/{id}",
        summary="Delete a user",
        handler=delete_user,
        access=SIGNED_IN,
        limit="delete",
        status=204,
        errors=("FORBIDDEN", "CONFLICT"),
        promises=_OWNER,
    ),
    Procedure(
        id="users.roles",
        method="PATCH",
        path="/users/{id}/roles",
        summary="Set a user's roles",
        handler=set_roles,
        access=ADMIN,
        limit="update",
        input=UserRoles,
        output=User,
        errors=("CONFLICT",),
    ),
)
