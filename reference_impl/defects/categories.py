"""Defects of categories, reviews and lists of products: C2a, C3a, C7a, C10a, C10b, C10c, C10d."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, Meta

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import Call, Reply
from reference_impl.data.database import Statement
from reference_impl.defects.defect import Defect, changed, unchecked
from reference_impl.edge.list_cache import key_of
from reference_impl.errors import not_found
from reference_impl.procedures.categories import CategoryQuery, list_categories
from reference_impl.procedures.paging import pages_of
from reference_impl.procedures.product_batch import CHUNK, BatchInput, BatchResult, batch_update
from reference_impl.procedures.product_reads import get_product
from reference_impl.procedures.product_types import ProductQuery
from reference_impl.procedures.records import audit
from reference_impl.procedures.review_types import Comment  # noqa: TC001 - msgspec reads annotations
from reference_impl.procedures.reviews import list_reviews

if TYPE_CHECKING:
    from reference_impl.contract.procedure import Procedure
    from reference_impl.procedures.records import Steps
    from reference_impl.procedures.review_types import ReviewQuery
    from reference_impl.stores.cache import Key

_VIEW = "INSERT INTO product_views (product_id, user_id, viewed_at) VALUES (?, ?, ?)"
_FREE = "UPDATE products SET category_id = NULL WHERE category_id = ?"
_DELETE = "DELETE FROM categories WHERE id = ? RETURNING id"


def key_without_prices(procedure: Procedure, call: Call[Any, Any]) -> Key:
    """C2a: the key of a kept list was not widened for the new bounds; two bounds asked in turn show one list."""
    if isinstance(call.query, ProductQuery):
        call = replace(call, query=msgspec.structs.replace(call.query, min_price=UNSET, max_price=UNSET))
    return key_of(procedure, call)


async def get_and_insert(call: Call[None, None]) -> Reply:
    """C3a: each view is inserted as if it were the first; whoever is signed in reads a product once."""
    reply = await get_product(replace(call, caller=None))
    if call.caller is not None:
        await call.database.run(_VIEW, call.path["id"], call.caller.user_id, rfc3339(time.time()))
    return reply


async def update_nine_of_ten(call: Call[BatchInput, None]) -> Reply:
    """C7a: the end of a slice is taken for the last of it; the tenth of each ten is neither updated nor failed."""
    ids = call.body.ids
    chunks = [ids[start : start + CHUNK - 1] for start in range(0, len(ids), CHUNK)]
    replies = [
        await batch_update(replace(call, body=msgspec.structs.replace(call.body, ids=chunk))) for chunk in chunks
    ]
    failed = [product_id for reply in replies for product_id in reply.value.failed]
    return Reply(BatchResult(sum(reply.value.updated for reply in replies), failed))


async def list_or_404(call: Call[None, CategoryQuery]) -> Reply:
    """C10a: a page that holds nothing is not found; a client that reads until a page is empty ends in a 404."""
    reply = await list_categories(call)
    if not reply.value.items and call.query.page > 1:
        raise not_found("page")
    return reply


async def delete_in_use(call: Call[None, None]) -> Reply:
    """C10b: nobody asks whether a category is in use; its products stand in none and are on no list."""
    await call.database.transaction(partial(_remove, call.identity.user_id, call.path["id"]))
    return Reply()


def _remove(actor_id: str, category_id: str) -> Steps:
    yield Statement(_FREE, (category_id,))
    if not (yield Statement(_DELETE, (category_id,))):
        raise not_found("category")
    yield from audit(actor_id, "categories.delete", category_id)


class ReviewFromZero(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """C10c: a rating begins at zero; no star at all is taken."""

    rating: Annotated[int, Meta(ge=0, le=5)]
    comment: Comment = ""


async def list_counting_all(call: Call[None, ReviewQuery]) -> Reply:
    """C10d: the count lacks the condition; a product's reviews are told with the total of all products'."""
    reply = await list_reviews(call)
    row: Any = await call.database.query_one("SELECT COUNT(*) FROM reviews")
    reply.value.total = row[0]
    reply.value.pages = pages_of(row[0], call.query.limit)
    return reply


def plant_key(parts: Any) -> Any:
    """C2a: use the key without prices."""
    return replace(parts, list_key=key_without_prices)


DEFECTS = (
    Defect(
        id="C2a",
        title="The list cache's key lacks the bounds of price",
        codes=("filter.unfit", "filter.missing", "filter.total", "cache.crossed"),
        operations=("products.list",),
        plant=plant_key,
    ),
    Defect(
        id="C3a",
        title="A product is refused to whoever has seen it before",
        codes=("schema.undocumented-status", "schema.server-error"),
        operations=("products.get",),
        plant=changed("products.get", handler=get_and_insert),
    ),
    Defect(
        id="C7a",
        title="A batch leaves out the tenth of each ten products",
        codes=("resource.update-lost", "bulk.counts"),
        operations=("products.batchUpdate",),
        plant=changed("products.batchUpdate", handler=update_nine_of_ten),
    ),
    Defect(
        id="C10a",
        title="A page past the end of the categories is 404",
        codes=("page.past-end",),
        operations=("categories.list",),
        plant=changed("categories.list", handler=list_or_404),
    ),
    Defect(
        id="C10b",
        title="A category that is in use is deleted",
        codes=("delete.in-use", "schema.body", "resource.not-listed"),
        operations=("categories.delete", "products.get", "products.list"),
        plant=changed("categories.delete", handler=delete_in_use),
    ),
    Defect(
        id="C10c",
        title="A rating of zero is taken",
        codes=("schema.invalid-input-accepted", "schema.body"),
        operations=("reviews.create", "reviews.list", "reviews.get"),
        plant=unchecked(changed("reviews.create", input=ReviewFromZero)),
    ),
    Defect(
        id="C10d",
        title="The total of a product's reviews counts those of all products",
        codes=("page.total",),
        operations=("reviews.list",),
        plant=changed("reviews.list", handler=list_counting_all),
    ),
)
