"""What posts look like on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_impl.contract.fields import NO_NUL, Id, Limit, Name, Offset, PersonName, Time
from reference_impl.procedures.paging import Pagination  # noqa: TC001 - msgspec reads annotations

if TYPE_CHECKING:
    from reference_impl.data.database import Row

Content = Annotated[str, Meta(min_length=1, max_length=20_000, pattern=NO_NUL, examples=["How a bowl is turned."])]
Title = Annotated[Name, Meta(examples=["On turning bowls"])]
COLUMNS = "p.id, p.author_id, u.name, p.title, p.content, p.published_at, p.created_at, p.updated_at"


class PostInput(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A new post; it is a draft until it is published."""

    title: Title
    content: Content


class PostPatch(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What changes; at least one member."""

    title: Title | UnsetType = UNSET
    content: Content | UnsetType = UNSET


class Post(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A post with its author; `publishedAt` is absent in a draft."""

    id: Id
    author_id: Id
    author_name: PersonName
    title: Title
    content: Content
    created_at: Time
    updated_at: Time
    published_at: Time | UnsetType = UNSET


class PostQuery(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Which posts."""

    limit: Limit = 20
    offset: Offset = 0


class PostPage(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One page of published posts, newest first."""

    data: list[Post]
    pagination: Pagination


def post_of(row: Row) -> Post:
    """Return a row of COLUMNS."""
    post_id, author_id, author_name, title, content, published_at, created_at, updated_at = row
    published_at = UNSET if published_at is None else published_at
    return Post(post_id, author_id, author_name, title, content, created_at, updated_at, published_at)
