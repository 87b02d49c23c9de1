"""User records: read when signed in, e-mail and roles only by the user and admins, changed by the same."""

from __future__ import annotations

from functools import partial

from reference_impl.contract.procedure import ADMIN, SIGNED_IN, Call, Procedure, Reply
from reference_impl.data.database import Row, Statement, Transaction
from reference_impl.data.search import containing
from reference_impl.errors import not_found
from reference_impl.procedures import user_writes
from reference_impl.procedures.paging import BY_OFFSET, NEWEST_FIRST, Pagination
from reference_impl.procedures.user_types import (
    COLUMNS,
    NewUser,
    User,
    UserPage,
    UserPatch,
    UserQuery,
    UserRoles,
    user_of,
)
from reference_impl.procedures.user_writes import BY_ID, Account, create_user, may_see

_LIST = f"SELECT {COLUMNS} FROM users WHERE deleted_at IS NULL{{}} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"  # noqa: S608 - constants only
_COUNT = "SELECT COUNT(*) FROM users WHERE deleted_at IS NULL{}"
_BY_NAME = r" AND search_text LIKE ? ESCAPE '\'"
# An admin's search sees e-mails too; for others that would tell who has which.
_BY_EITHER = r" AND (search_text LIKE ? ESCAPE '\' OR lower(email) LIKE ? ESCAPE '\')"
_ORDER = ("user", "seller", "admin")


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
    account = Account(body.name, body.email, password_hash)
    user = await create_user(call.database, account, call.caller.user_id if call.caller else "")
    return Reply(user, (call.location(f"/users/{user.id}"),))


async def update_user(call: Call[UserPatch, None]) -> Reply:
    """Change a record: the user's own, or any by an admin."""
    changing = partial(user_writes.change, call.identity, call.path["id"], call.body)
    return Reply(user_of(await call.database.transaction(changing), whole=True))


async def set_roles(call: Call[UserRoles, None]) -> Reply:
    """Give a user exactly these roles; effective on the next request."""
    roles = tuple(role for role in _ORDER if role in {"user", *call.body.roles})
    writing = partial(user_writes.write_roles, call.identity.user_id, call.path["id"], roles)
    return Reply(user_of(await call.database.transaction(writing), whole=True))


async def delete_user(call: Call[None, None]) -> Reply:
    """Delete a record: sessions end, orders stay, drafts are hidden."""
    await call.database.transaction(partial(user_writes.remove, call.identity, call.path["id"]))
    return Reply()


_SEARCH = {"operator": "contains", "members": ["/name", "/email"], "sent": "/name", "fold": True, "shown": True}
_FILTER = {"parameters": {"search": _SEARCH}}
_OWNER = {"owner": {"resource": "user", "self": True, "roles": ["admin"], "stranger": 403}}
_GONE = {
    "kind": "soft",
    "gone": [404],
    "again": 404,
    "writes": ["users.roles"],
    "children": [{"resource": "order", "becomes": "kept"}, {"resource": "post", "becomes": "gone"}],
    "unique": {"member": "/email", "becomes": "free"},
    "counts": [{"operation": "admin.stats", "member": "/users"}],
}

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
        promises={"page": BY_OFFSET, "filter": _FILTER, "sort": NEWEST_FIRST},
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
        description="E-mail, roles and status are shown to the user and to admins.",
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
        promises={**_OWNER, "delete": _GONE},
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
