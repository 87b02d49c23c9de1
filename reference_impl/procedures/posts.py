"""Posts: published ones are open to all, drafts to their author and admins; changed and published by the author."""

from __future__ import annotations

from functools import partial

from reference_impl.contract.procedure import ANYONE, SIGNED_IN, Call, Procedure, Reply
from reference_impl.procedures.paging import BY_OFFSET, Pagination, Slice, page
from reference_impl.procedures.post_types import COLUMNS, Post, PostInput, PostPage, PostPatch, PostQuery, post_of
from reference_impl.procedures.post_writes import ONE, create_post, delete_post, publish_post, update_post, visible

_PUBLISHED = "FROM posts p JOIN users u ON u.id = p.author_id WHERE p.deleted_at IS NULL AND p.published_at IS NOT NULL"


async def list_posts(call: Call[None, PostQuery]) -> Reply:
    """Return one page of published posts."""
    query = call.query
    part = Slice(query.limit, query.offset)
    rows, total = await call.database.read(
        partial(page, COLUMNS, _PUBLISHED, "p.published_at DESC, p.id DESC", (), part)
    )
    return Reply(PostPage([post_of(row) for row in rows], Pagination(total, query.limit, query.offset)))


async def get_post(call: Call[None, None]) -> Reply:
    """Return one post; another's draft is not there."""
    return Reply(post_of(visible(call.caller, await call.database.query_one(ONE, call.path["id"]))))


_AUTHOR = {"owner": {"resource": "post", "stranger": 404}}
_AUTHOR_OR_ADMIN = {"owner": {"resource": "post", "roles": ["admin"], "stranger": 404}}
_GONE = {
    "kind": "soft",
    "gone": [404],
    "again": 404,
    "lists": ["posts.list"],
    "writes": ["posts.publish"],
    "counts": [{"operation": "admin.stats", "member": "/drafts"}],
}

PROCEDURES = (
    Procedure(
        id="posts.list",
        method="GET",
        path="/posts",
        summary="A page of published posts",
        handler=list_posts,
        access=ANYONE,
        limit="list",
        query=PostQuery,
        output=PostPage,
        promises={
            "page": {**BY_OFFSET, "resource": "post", "then": ["posts.publish"]},
            "sort": {
                "keys": {"publishedAt": "/publishedAt"},
                "default": {"key": "publishedAt", "direction": "descending"},
            },
        },
    ),
    Procedure(
        id="posts.create",
        method="POST",
        path="/posts",
        summary="Write a draft",
        handler=create_post,
        access=SIGNED_IN,
        limit="create",
        input=PostInput,
        output=Post,
        status=201,
        response_headers=("Location",),
        links=("posts.get", "posts.update", "posts.publish", "posts.delete"),
        shows={"publishedAt": None},
    ),
    Procedure(
        id="posts.get",
        method="GET",
        path="/posts/{id}",
        summary="One post",
        description="A draft is there for its author and admins only.",
        handler=get_post,
        access=ANYONE,
        limit="get",
        output=Post,
        promises=_AUTHOR_OR_ADMIN,
    ),
    Procedure(
        id="posts.update",
        method="PATCH",
        path="/posts/{id}",
        summary="Change a post",
        handler=update_post,
        access=SIGNED_IN,
        limit="update",
        input=PostPatch,
        partial=True,
        output=Post,
        promises=_AUTHOR,
    ),
    Procedure(
        id="posts.delete",
        method="DELETE",
        path="/posts/{id}",
        summary="Delete a post",
        handler=delete_post,
        access=SIGNED_IN,
        limit="delete",
        status=204,
        promises={**_AUTHOR_OR_ADMIN, "delete": _GONE},
    ),
    Procedure(
        id="posts.publish",
        method="PUT",
        path="/posts/{id}/publish",
        summary="Publish a post",
        handler=publish_post,
        access=SIGNED_IN,
        limit="update",
        output=Post,
        promises=_AUTHOR,
    ),
)
