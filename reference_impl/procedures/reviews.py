"""Reviews: one a user and product, read by anyone, deleted by their author or an admin."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import uuid_utils

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import ANYONE, SIGNED_IN, Call, Procedure, Reply
from reference_impl.data.database import DatabaseError, Row, Statement, Transaction
from reference_impl.errors import ApiError, not_found
from reference_impl.procedures.paging import NEWEST_FIRST, NUMBERED, pages_of
from reference_impl.procedures.product_writes import LOCK
from reference_impl.procedures.records import audit, emit
from reference_impl.procedures.review_types import COLUMNS, Review, ReviewInput, ReviewPage, ReviewQuery

if TYPE_CHECKING:
    from reference_impl.identity.tokens import Identity

_PRODUCT = "SELECT 1 FROM products WHERE id = ? AND deleted_at IS NULL"
_PAGE = (
    f"SELECT {COLUMNS} FROM reviews WHERE product_id = ? "  # noqa: S608 - constants only
    "ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"
)
_COUNT = "SELECT COUNT(*) FROM reviews WHERE product_id = ?"
# A deleted product takes its reviews out of sight.
_ONE = (
    "SELECT r.id, r.product_id, r.user_id, r.rating, r.comment, r.created_at FROM reviews r "
    "JOIN products p ON p.id = r.product_id WHERE r.id = ? AND p.deleted_at IS NULL"
)
_INSERT = f"INSERT INTO reviews ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants only
_DELETE = "DELETE FROM reviews WHERE id = ? RETURNING id"
# A product shows its newest reviews, so one more or less is a change of the product.
_RAISE = (
    "UPDATE products SET version = version + 1, updated_at = ? WHERE id = ? AND deleted_at IS NULL "
    "RETURNING category_id, version"
)


async def list_reviews(call: Call[None, ReviewQuery]) -> Reply:
    """Return one page of a product's reviews."""
    query = call.query
    reviews, total = await call.database.read(partial(_page, call.path["id"], query))
    return Reply(ReviewPage(reviews, total, query.page, pages_of(total, query.limit)))


def _page(product_id: str, query: ReviewQuery) -> Transaction[tuple[list[Review], int]]:
    if not (yield Statement(_PRODUCT, (product_id,))):
        raise not_found("product")
    rows = yield Statement(_PAGE, (product_id, query.limit, (query.page - 1) * query.limit))
    count = yield Statement(_COUNT, (product_id,))
    return [Review(*row) for row in rows], count[0][0]


async def get_review(call: Call[None, None]) -> Reply:
    """Return one review."""
    row = await call.database.query_one(_ONE, call.path["id"])
    if row is None:
        raise not_found("review")
    return Reply(Review(*row))


async def create_review(call: Call[ReviewInput, None]) -> Reply:
    """Say what the caller thinks of a product."""
    body = partial(_insert, call.identity, call.path["id"], call.body)
    try:
        review = await call.database.transaction(body, locking=True)
    except DatabaseError as error:
        if error.category == "unique":
            raise ApiError("CONFLICT", "You have reviewed this product: delete that review first.") from error
        raise
    return Reply(review, (call.location(f"/reviews/{review.id}"),))


def _insert(identity: Identity, product_id: str, body: ReviewInput) -> Transaction[Review]:
    yield Statement(LOCK, (product_id,), lock=True)
    now = rfc3339(time.time())
    raised = yield Statement(_RAISE, (now, product_id))
    if not raised:
        raise not_found("product")
    review = Review(str(uuid_utils.uuid7()), product_id, identity.user_id, body.rating, body.comment, now)
    yield Statement(_INSERT, (review.id, product_id, review.user_id, review.rating, review.comment, now))
    yield from _told(identity, "reviews.create", review, raised[0])
    return review


def _told(identity: Identity, action: str, review: Review, raised: Row) -> Transaction[None]:
    """Write the audit row of the review and the event row of its product."""
    category_id, version = raised
    yield from audit(identity.user_id, action, review.id, productId=review.product_id, rating=review.rating)
    yield from emit("products", "updated", id=review.product_id, categoryId=category_id, version=version)


async def delete_review(call: Call[None, None]) -> Reply:
    """Delete a review of the caller's, or any as an admin."""
    await call.database.transaction(partial(_remove, call.identity, call.path["id"]), locking=True)
    return Reply()


def _remove(identity: Identity, review_id: str) -> Transaction[None]:
    rows = yield Statement(_ONE, (review_id,))
    if not rows:
        raise not_found("review")
    review = Review(*rows[0])
    if not identity.admin and review.user_id != identity.user_id:
        raise ApiError("FORBIDDEN", "This review is another user's.")
    # The product first, as everywhere: then no two writers wait for each other.
    yield Statement(LOCK, (review.product_id,), lock=True)
    raised = yield Statement(_RAISE, (rfc3339(time.time()), review.product_id))
    if not raised or not (yield Statement(_DELETE, (review_id,))):
        raise not_found("review")
    yield from _told(identity, "reviews.delete", review, raised[0])


_OWNER = {"owner": {"resource": "review", "roles": ["admin"], "stranger": 403}}
_GONE = {
    "kind": "hard",
    "gone": [404],
    "again": 404,
    "counts": [{"operation": "admin.stats", "member": "/reviews"}],
}

PROCEDURES = (
    Procedure(
        id="reviews.list",
        method="GET",
        path="/products/{id}/reviews",
        summary="A page of a product's reviews",
        handler=list_reviews,
        access=ANYONE,
        limit="list",
        query=ReviewQuery,
        output=ReviewPage,
        promises={"page": NUMBERED, "sort": NEWEST_FIRST},
    ),
    Procedure(
        id="reviews.create",
        method="POST",
        path="/products/{id}/reviews",
        summary="Review a product",
        handler=create_review,
        access=SIGNED_IN,
        limit="create",
        input=ReviewInput,
        output=Review,
        status=201,
        errors=("CONFLICT",),
        changes=("products",),
        response_headers=("Location",),
        links=("reviews.get", "reviews.delete"),
    ),
    Procedure(
        id="reviews.get",
        method="GET",
        path="/reviews/{id}",
        summary="One review",
        handler=get_review,
        access=ANYONE,
        limit="get",
        output=Review,
    ),
    Procedure(
        id="reviews.delete",
        method="DELETE",
        path="/reviews/{id}",
        summary="Delete a review",
        handler=delete_review,
        access=SIGNED_IN,
        limit="delete",
        status=204,
        errors=("FORBIDDEN",),
        changes=("products",),
        promises={**_OWNER, "delete": _GONE},
    ),
)
