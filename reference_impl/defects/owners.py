"""Defects of whose a thing is: B7a, B7b, B7c, B7d, B7e, B7f, D1a, D2a."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from reference_impl.contract.procedure import Call, Reply
from reference_impl.defects.defect import Defect, changed
from reference_impl.errors import ApiError, not_found
from reference_impl.procedures.orders import cancel_order, get_order
from reference_impl.procedures.post_types import post_of
from reference_impl.procedures.post_writes import ONE, publish, update_post
from reference_impl.procedures.reviews import delete_review
from reference_impl.procedures.user_writes import may_see
from reference_impl.procedures.users import list_users

if TYPE_CHECKING:
    from reference_impl.procedures.post_types import PostPatch
    from reference_impl.procedures.user_types import UserQuery

_AUTHOR = "SELECT user_id FROM reviews WHERE id = ?"
_BUYER = "SELECT user_id FROM orders WHERE id = ?"


def as_admin(call: Call[Any, Any]) -> Call[Any, Any]:
    """Return the call as if an admin had sent it."""
    return replace(call, caller=replace(call.identity, roles=call.identity.roles | {"admin"}))


async def delete_anyones(call: Call[None, None]) -> Reply:
    """B7a: a review is deleted by its id; whose it is does not matter."""
    return await delete_review(as_admin(call))


async def delete_then_ask(call: Call[None, None]) -> Reply:
    """B7b: whose a review is is asked behind the write; a stranger is told 403 and the review is gone."""
    row = await call.database.query_one(_AUTHOR, call.path["id"])
    reply = await delete_review(as_admin(call))
    if row is not None and row[0] != call.identity.user_id and not call.identity.admin:
        raise ApiError("FORBIDDEN", "This review is another user's.")
    return reply


async def get_order_told(call: Call[None, None]) -> Reply:
    """B7c: a stranger is told 403, so that an order's id can be tried out."""
    row = await call.database.query_one(_BUYER, call.path["id"])
    if row is not None and row[0] != call.identity.user_id and not call.identity.admin:
        raise ApiError("FORBIDDEN", "This order is another user's.")
    return await get_order(call)


async def cancel_anyones(call: Call[None, None]) -> Reply:
    """B7d: an order is cancelled by its id; whose it is does not matter."""
    return await cancel_order(as_admin(call))


async def get_any_post(call: Call[None, None]) -> Reply:
    """B7e: nobody asks whether a post is published; a stranger reads a draft by its id."""
    row = await call.database.query_one(ONE, call.path["id"])
    if row is None:
        raise not_found("post")
    return Reply(post_of(row))


async def update_published(call: Call[PostPatch, None]) -> Reply:
    """B7f: who may see a post is taken for who may change it; a stranger rewrites what is published."""
    row = await call.database.query_one(ONE, call.path["id"])
    author = row[1] if row is not None and row[5] is not None else call.identity.user_id
    return await update_post(replace(call, caller=replace(call.identity, user_id=author)))


async def list_by_email(call: Call[None, UserQuery]) -> Reply:
    """D1a: everybody's search looks in e-mails too; a hit tells who has which."""
    reply = await list_users(as_admin(call))
    for user in reply.value.data:
        if not may_see(call.identity, user.id):
            user.email = user.roles = user.status = UNSET
    return reply


async def publish_as_admin(call: Call[None, None]) -> Reply:
    """D2a: admins publish what is another's, as they may do everything else with it."""
    identity = call.identity
    row = await call.database.query_one(ONE, call.path["id"])
    if identity.admin and row is not None:
        identity = replace(identity, user_id=row[1])
    return Reply(await call.database.transaction(partial(publish, identity, call.path["id"])))


_ALLOWED = ("owner.stranger-allowed", "owner.effect")

DEFECTS = (
    Defect(
        id="B7a",
        title="Anyone who is signed in deletes a review",
        codes=_ALLOWED,
        operations=("reviews.delete",),
        plant=changed("reviews.delete", handler=delete_anyones),
    ),
    Defect(
        id="B7b",
        title="A stranger's refused delete of a review has its effect",
        codes=("owner.effect", "delete.effect", "writes.refused-effect"),
        operations=("reviews.delete",),
        plant=changed("reviews.delete", handler=delete_then_ask),
    ),
    Defect(
        id="B7c",
        title="A stranger is told 403 of an order",
        codes=("owner.status",),
        operations=("orders.get",),
        plant=changed("orders.get", handler=get_order_told),
    ),
    Defect(
        id="B7d",
        title="Anyone who is signed in cancels an order",
        codes=_ALLOWED,
        operations=("orders.cancel",),
        plant=changed("orders.cancel", handler=cancel_anyones),
    ),
    Defect(
        id="B7e",
        title="A draft is read by whoever has its id",
        codes=("owner.stranger-allowed",),
        operations=("posts.get",),
        plant=changed("posts.get", handler=get_any_post),
    ),
    Defect(
        id="B7f",
        title="A published post is changed by whoever reads it",
        codes=_ALLOWED,
        operations=("posts.update",),
        plant=changed("posts.update", handler=update_published),
    ),
    Defect(
        id="D1a",
        title="A search for users looks in e-mails that its caller may not see",
        codes=("filter.hidden",),
        operations=("users.list",),
        plant=changed("users.list", handler=list_by_email),
    ),
    Defect(
        id="D2a",
        title="An admin publishes another's draft",
        codes=_ALLOWED,
        operations=("posts.publish",),
        plant=changed("posts.publish", handler=publish_as_admin),
    ),
)
