"""What users look like on the wire and in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_impl.contract.fields import (  # noqa: TC001 - msgspec reads annotations
    Email,
    Id,
    Limit,
    Offset,
    Password,
    PersonName,
    Role,
    Search,
    Time,
)
from reference_impl.procedures.paging import Pagination  # noqa: TC001 - msgspec reads annotations

if TYPE_CHECKING:
    from reference_impl.data.database import Row


Status = Literal["active", "suspended"]
COLUMNS = "id, name, email, roles, created_at, updated_at, status"


class User(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A user as the caller may see it: e-mail, roles and status stand there for the user and for admins."""

    id: Id
    name: PersonName
    created_at: Time
    updated_at: Time
    email: Email | UnsetType = UNSET
    roles: list[Role] | UnsetType = UNSET
    status: Status | UnsetType = UNSET


class NewUser(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """An account an admin makes."""

    email: Email
    password: Password
    name: PersonName


class UserPatch(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What changes; at least one member."""

    name: PersonName | UnsetType = UNSET
    email: Email | UnsetType = UNSET


class UserRoles(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """All roles a user shall have; `user` is had by everyone."""

    roles: Annotated[list[Role], Meta(min_length=1, max_length=3)]


class UserQuery(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Which users."""

    limit: Limit = 20
    offset: Offset = 0
    search: Search = ""


class UserPage(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One page of users, newest first."""

    data: list[User]
    pagination: Pagination


def user_of(row: Row, *, whole: bool) -> User:
    """Return a row of COLUMNS as the caller may see it."""
    user = User(id=row[0], name=row[1], created_at=row[4], updated_at=row[5])
    if whole:
        user.email = row[2]
        user.roles = row[3].split(",")
        user.status = row[6]
    return user
