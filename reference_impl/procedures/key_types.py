"""What API keys look like on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_impl.contract.fields import Id, Limit, Name, Offset, Time
from reference_impl.procedures.paging import Pagination  # noqa: TC001 - msgspec reads annotations

if TYPE_CHECKING:
    from reference_impl.data.database import Row

Scope = Literal["read", "write"]
KeyName = Annotated[Name, Meta(examples=["Stock keeping"])]
Hint = Annotated[str, Meta(examples=["rk_alpha_Zk3v"])]
Secret = Annotated[str, Meta(examples=["rk_alpha_Zk3vQ1vYyC4mT0w7rB2nL5xJ9dF3hG6sKpWqEiUaVtM"])]
_LONGEST_S = 31_536_000


class KeyInput(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A new key: what for, what it may (`write` reads too), and for how many seconds; without these it stays."""

    name: KeyName
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=2)]
    expires_in: Annotated[int, Meta(ge=1, le=_LONGEST_S, examples=[86400])] | UnsetType = UNSET


class Key(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A key as its owner sees it later: the hint is how it begins."""

    id: Id
    name: KeyName
    hint: Hint
    scopes: list[Scope]
    created_at: Time
    expires_at: Time | UnsetType = UNSET


class NewKey(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A key with the secret itself, which is shown this once."""

    id: Id
    name: KeyName
    hint: Hint
    scopes: list[Scope]
    created_at: Time
    key: Secret
    expires_at: Time | UnsetType = UNSET


class KeyQuery(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Which keys."""

    limit: Limit = 20
    offset: Offset = 0


class KeyPage(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One page of the caller's keys, newest first."""

    data: list[Key]
    pagination: Pagination


def key_of(row: Row) -> Key:
    """Return a row (id, name, hint, scopes, created, expires)."""
    return Key(row[0], row[1], row[2], row[3].split(","), row[4], UNSET if row[5] is None else row[5])
