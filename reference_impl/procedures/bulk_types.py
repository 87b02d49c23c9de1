"""What many users at once look like on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_impl.contract.fields import Count, Id
from reference_impl.procedures.user_types import Status, User  # noqa: TC001 - msgspec reads annotations

MOST = 100
# A row is judged by itself, so that one that is not right leaves the others whole.
Cell = Annotated[str, Meta(max_length=1000)]
Ids = Annotated[list[Id], Meta(min_length=1, max_length=MOST, extra_json_schema={"uniqueItems": True})]


class UserRow(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One account to make; each member keeps to the rules of NewUser, or the row fails."""

    email: Annotated[Cell, Meta(examples=["ada@example.test"])]
    password: Annotated[Cell, Meta(examples=["correct horse battery"])]
    name: Annotated[Cell, Meta(examples=["Ada Lovelace"])]


class UserRows(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Accounts to make."""

    users: Annotated[list[UserRow], Meta(min_length=1, max_length=MOST)]


class RowError(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Why a row failed."""

    code: Literal["VALIDATION_ERROR", "CONFLICT"]
    message: Annotated[str, Meta(examples=["The e-mail is taken."])]


class RowResult(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What became of the row at `index`: the user that was made, or the error."""

    index: Count
    user: User | UnsetType = UNSET
    error: RowError | UnsetType = UNSET


class UsersMade(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """How many rows were made and failed, and each by itself in the order sent."""

    created: Count
    failed: Count
    results: list[RowResult]


class StatusChange(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A status for each of these users."""

    ids: Ids
    status: Status


class StatusChanged(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """How many now have the status, and the ids that do not: absent, or an admin that must not go."""

    updated: Count
    failed: list[Id]
