"""Defects of posts and of many users at once: S38a, S43, S48."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from reference_impl.contract.fields import LARGEST, Offset
from reference_impl.contract.procedure import ANYONE, Call, Reply
from reference_impl.data.database import Statement
from reference_impl.defects.defect import Defect, changed
from reference_impl.errors import ApiError, not_found
from reference_impl.procedures.post_writes import ONE, publish

if TYPE_CHECKING:
    from reference_impl.data.database import Transaction
    from reference_impl.identity.tokens import Identity
    from reference_impl.procedures.post_types import Post


class UncappedLimit(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """S43: a limit of any size."""

    limit: Annotated[int, Meta(ge=1, le=LARGEST)] = 20
    offset: Offset = 0


async def publish_told(call: Call[None, None]) -> Reply:
    """S48: tell a stranger that the draft is another's."""
    return Reply(await call.database.transaction(partial(_publish, call.identity, call.path["id"])))


def _publish(identity: Identity, post_id: str) -> Transaction[Post]:
    rows = yield Statement(ONE, (post_id,))
    if not rows:
        raise not_found("post")
    if rows[0][1] != identity.user_id:
        raise ApiError("FORBIDDEN", "This post is another author's.")
    return (yield from publish(identity, post_id))


DEFECTS = (
    Defect(
        id="S38a",
        title="Anyone can make users in bulk",
        codes=("roles.anonymous-allowed", "roles.effect", "roles.role-allowed", "fuzz.ignored_auth"),
        operations=("users.bulkCreate",),
        plant=changed("users.bulkCreate", access=ANYONE),
    ),
    Defect(
        id="S43",
        title="limit=1000000 lists posts",
        codes=("schema.invalid-input-accepted", "page.bounds"),
        operations=("posts.list",),
        plant=changed("posts.list", query=UncappedLimit),
    ),
    Defect(
        id="S48",
        title="Publishing a stranger's draft is 403",
        codes=("owner.status",),
        operations=("posts.publish",),
        plant=changed("posts.publish", handler=publish_told),
    ),
)
