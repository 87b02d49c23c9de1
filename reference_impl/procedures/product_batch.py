"""Batch update: up to a hundred products in chunks, each chunk whole or not at all, each id told of once."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_impl.clock import rfc3339
from reference_impl.contract.fields import Count, Id  # noqa: TC001 - msgspec reads annotations
from reference_impl.contract.procedure import ADMIN, Call, Procedure, Reply
from reference_impl.data.database import DatabaseError, Statement, Transaction, marks
from reference_impl.errors import ApiError, invalid
from reference_impl.procedures.product_types import Percent  # noqa: TC001 - msgspec reads annotations
from reference_impl.procedures.records import audit, emit

if TYPE_CHECKING:
    from reference_impl.identity.tokens import Identity

CHUNK = 10
_CATEGORY = "SELECT 1 FROM categories WHERE id = ?"
_PRESENT = "SELECT id, category_id FROM products WHERE id IN ({}) AND deleted_at IS NULL ORDER BY id"
_UPDATE = (
    "UPDATE products SET category_id = coalesce(?, category_id), discount_percent = coalesce(?, discount_percent), "
    "version = version + 1, updated_at = ? WHERE id = ? RETURNING category_id, version"
)


class BatchInput(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Which products, each named once, and what changes in all of them."""

    ids: Annotated[list[Id], Meta(min_length=1, max_length=100, extra_json_schema={"uniqueItems": True})]
    category_id: Id | UnsetType = UNSET
    discount: Percent | UnsetType = UNSET


class BatchResult(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """How many were changed, and which were not: absent, deleted, or of a chunk that failed."""

    updated: Count
    failed: list[Id]


async def batch_update(call: Call[BatchInput, None]) -> Reply:
    """Change the products a chunk at a time; what a chunk did stays when a later one fails."""
    body = call.body
    if len(set(body.ids)) < len(body.ids):
        raise invalid("ids", "each may stand once only")
    if body.category_id is not UNSET and await call.database.query_one(_CATEGORY, body.category_id) is None:
        raise ApiError("INVALID_REFERENCE", "categoryId names no category.")
    updated = 0
    failed: list[str] = []
    for chunk in chunks(body.ids):
        try:
            done = await call.database.transaction(partial(change, call.identity, chunk, body), locking=True)
        except DatabaseError as error:
            # Nothing has happened, and the call may be sent again; or it is not known whether this chunk is kept, and
            # its ids are neither changed nor failed: the refusal says so.
            if error.unknown or not updated:
                raise
            done = frozenset()
        updated += len(done)
        failed += [product_id for product_id in chunk if product_id not in done]
    return Reply(BatchResult(updated, failed))


def chunks(ids: list[str]) -> list[list[str]]:
    """Return the ids in order, ten at a time."""
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]


def change(identity: Identity, ids: list[str], body: BatchInput) -> Transaction[frozenset[str]]:
    """Change those that are there, with an audit row and an event row each, and return their ids."""
    events: list[dict[str, Any]] = []
    category_id = None if body.category_id is UNSET else body.category_id
    discount = None if body.discount is UNSET else body.discount
    now = rfc3339(time.time())
    present = yield Statement(_PRESENT.format(marks(len(ids))), tuple(ids), lock=True)
    for product_id, before in present:
        rows = yield Statement(_UPDATE, (category_id, discount, now, product_id))
        standing_in, version = rows[0]
        yield from audit(identity.user_id, "products.batchUpdate", product_id, version=version)
        moved = {"previousCategoryId": before} if standing_in != before else {}
        events.append({"id": product_id, "version": version, "categoryId": standing_in, **moved})
    for event in events:
        yield from emit("products", "updated", **event)
    return frozenset(row[0] for row in present)


_ACCOUNT = {"items": "/ids", "resource": "product", "done": "/updated", "failed": "/failed", "unknown": "failed"}

PROCEDURES = (
    Procedure(
        id="products.batchUpdate",
        method="POST",
        path="/bulk/products",
        summary="Change many products",
        description=(
            "Ten at a time are changed together; what a chunk did stays when a later one fails. Where the end of a "
            "chunk's commit is lost the call is refused, and says that it is not known what is kept."
        ),
        handler=batch_update,
        changes=("products",),
        access=ADMIN,
        limit="update",
        input=BatchInput,
        partial=True,
        output=BatchResult,
        errors=("INVALID_REFERENCE",),
        promises={"bulk": _ACCOUNT},
    ),
)
