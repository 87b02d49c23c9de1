"""The writes of posts: what is visible to the caller is told apart from what is the caller's to change."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import uuid_utils
from msgspec import UNSET

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import Call, Reply
from reference_impl.data.database import Row, Statement, Transaction
from reference_impl.errors import ApiError, not_found
from reference_impl.procedures.post_types import COLUMNS, Post, PostInput, PostPatch, post_of
from reference_impl.procedures.records import audit

if TYPE_CHECKING:
    from reference_impl.identity.tokens import Identity
    from reference_impl.procedures.records import Steps

# A draft goes with its author.
ONE = (
    f"SELECT {COLUMNS} FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = ? AND p.deleted_at IS NULL "  # noqa: S608 - constants only
    "AND (p.published_at IS NOT NULL OR u.deleted_at IS NULL)"
)
_INSERT = "INSERT INTO posts (id, author_id, title, content, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)"
_UPDATE = "UPDATE posts SET title = coalesce(?, title), content = coalesce(?, content), updated_at = ? WHERE id = ?"
_PUBLISH = "UPDATE posts SET published_at = ?, updated_at = ? WHERE id = ? AND published_at IS NULL"
_DELETE = "UPDATE posts SET deleted_at = ? WHERE id = ?"


def visible(caller: Identity | None, row: Row | None) -> Row:
    """Return the row; NOT_FOUND when there is none for this caller: a draft is its author's and the admins'."""
    published = row is not None and row[5] is not None
    if row is None or not (published or (caller is not None and (caller.admin or caller.user_id == row[1]))):
        raise not_found("post")
    return row


def _found(caller: Identity, post_id: str, *, by_admin: bool = False) -> Transaction[Row]:
    """Return the caller's own post; FORBIDDEN where it may be seen and not changed."""
    rows = yield Statement(ONE, (post_id,))
    row = visible(caller, rows[0] if rows else None)
    if row[1] != caller.user_id and not (by_admin and caller.admin):
        raise ApiError("FORBIDDEN", "This post is another author's.")
    return row


def _read(post_id: str) -> Transaction[Post]:
    rows = yield Statement(ONE, (post_id,))
    return post_of(rows[0])


async def create_post(call: Call[PostInput, None]) -> Reply:
    """Write a draft of the caller's."""
    post = await call.database.transaction(partial(_insert, call.identity, call.body))
    return Reply(post, (call.location(f"/posts/{post.id}"),))


def _insert(identity: Identity, body: PostInput) -> Transaction[Post]:
    post_id = str(uuid_utils.uuid7())
    now = rfc3339(time.time())
    yield Statement(_INSERT, (post_id, identity.user_id, body.title, body.content, now, now))
    yield from audit(identity.user_id, "posts.create", post_id)
    return (yield from _read(post_id))


async def update_post(call: Call[PostPatch, None]) -> Reply:
    """Change a post, by its author only."""
    return Reply(await call.database.transaction(partial(_change, call.identity, call.path["id"], call.body)))


def _change(identity: Identity, post_id: str, body: PostPatch) -> Transaction[Post]:
    yield from _found(identity, post_id)
    values = [None if member is UNSET else member for member in (body.title, body.content)]
    yield Statement(_UPDATE, (*values, rfc3339(time.time()), post_id))
    yield from audit(identity.user_id, "posts.update", post_id)
    return (yield from _read(post_id))


async def publish_post(call: Call[None, None]) -> Reply:
    """Show a post to all, by its author only; a published one stays as it is."""
    return Reply(await call.database.transaction(partial(publish, call.identity, call.path["id"])))


def publish(identity: Identity, post_id: str) -> Transaction[Post]:
    """Set the time once, with its audit row."""
    row = yield from _found(identity, post_id)
    if row[5] is None:
        now = rfc3339(time.time())
        yield Statement(_PUBLISH, (now, now, post_id))
        yield from audit(identity.user_id, "posts.publish", post_id)
    return (yield from _read(post_id))


async def delete_post(call: Call[None, None]) -> Reply:
    """Delete a post, by its author or an admin."""
    await call.database.transaction(partial(_remove, call.identity, call.path["id"]))
    return Reply()


def _remove(identity: Identity, post_id: str) -> Steps:
    yield from _found(identity, post_id, by_admin=True)
    yield Statement(_DELETE, (rfc3339(time.time()), post_id))
    yield from audit(identity.user_id, "posts.delete", post_id)
