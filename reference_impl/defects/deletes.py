"""Defects of deletes that the seeds do not have: G01 to G08."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from reference_impl.contract.procedure import Call, Reply
from reference_impl.data.database import Row, Statement, Transaction
from reference_impl.defects.defect import Defect, changed
from reference_impl.defects.lists import Condition, Listing
from reference_impl.errors import ApiError, not_found
from reference_impl.price import discounted
from reference_impl.procedures.admin import stats
from reference_impl.procedures.orders import Draft, summed, write
from reference_impl.procedures.paging import Pagination, Slice, page
from reference_impl.procedures.post_types import COLUMNS as POST_COLUMNS
from reference_impl.procedures.post_types import PostPage, PostQuery, post_of
from reference_impl.procedures.product_writes import remove
from reference_impl.procedures.products import filtered
from reference_impl.procedures.review_types import COLUMNS, Review
from reference_impl.procedures.user_writes import taken
from reference_impl.procedures.users import make_user

if TYPE_CHECKING:
    from reference_impl.identity.tokens import Identity
    from reference_impl.procedures.order_types import Order, OrderInput
    from reference_impl.procedures.product_types import ProductQuery
    from reference_impl.procedures.user_types import NewUser

_REVIEW = f"SELECT {COLUMNS} FROM reviews WHERE id = ?"  # noqa: S608 - constants only
_ANY_PRODUCT = "SELECT price_cents, discount_percent, stock FROM products WHERE id = ?"
_PUBLISHED = "FROM posts p JOIN users u ON u.id = p.author_id WHERE p.published_at IS NOT NULL"


async def orphaned_review(call: Call[None, None]) -> Reply:
    """G01: show a review whose product is gone."""
    row = await call.database.query_one(_REVIEW, call.path["id"])
    if row is None:
        raise not_found("review")
    return Reply(Review(*row))


async def order_anything(call: Call[OrderInput, None]) -> Reply:
    """G02: sell what was deleted."""
    order = await call.database.transaction(partial(_placed, call.identity, call.body), locking=True)
    return Reply(order, (call.location(f"/orders/{order.id}"),))


def _placed(identity: Identity, body: OrderInput) -> Transaction[Order]:
    prices: dict[str, int] = {}
    for product_id, quantity in summed(body.items).items():
        rows = yield Statement(_ANY_PRODUCT, (product_id,), lock=True)
        if not rows:
            raise ApiError("INVALID_REFERENCE", "productId names no product.")
        price_cents, discount, stock = rows[0]
        if stock < quantity:
            raise ApiError("INSUFFICIENT_STOCK", f"Product {product_id} has less than {quantity} left.")
        prices[product_id] = discounted(price_cents, discount)
    total = sum(prices[line.product_id] * line.quantity for line in body.items)
    return (yield from write(identity, Draft(tuple(body.items), prices, total)))


async def count_the_gone(call: Call[None, None]) -> Reply:
    """G03: count products that were deleted."""
    told = await stats(call)
    (row,) = await call.database.query("SELECT COUNT(*) FROM products WHERE deleted_at IS NOT NULL")
    return Reply(msgspec.structs.replace(told.value, products=told.value.products + row[0]))


def _found_though_gone(query: ProductQuery) -> Condition:
    where, values = filtered(query)
    return (where.replace("deleted_at IS NULL AND ", "") if query.search else where), values


async def list_the_gone(call: Call[None, PostQuery]) -> Reply:
    """G05: list posts that were deleted."""
    query = call.query
    order, part = "p.published_at DESC, p.id DESC", Slice(query.limit, query.offset)
    rows, total = await call.database.read(partial(page, POST_COLUMNS, _PUBLISHED, order, (), part))
    return Reply(PostPage([post_of(row) for row in rows], Pagination(total, query.limit, query.offset)))


async def delete_in_use(call: Call[None, None]) -> Reply:
    """G06: delete a category under its products."""
    await call.database.transaction(partial(_emptied, call.path["id"]))
    return Reply()


def _emptied(category_id: str) -> Transaction[list[Row]]:
    yield Statement("UPDATE products SET category_id = NULL WHERE category_id = ?", (category_id,))
    deleted = yield Statement("DELETE FROM categories WHERE id = ? RETURNING id", (category_id,))
    if not deleted:
        raise not_found("category")
    return deleted


async def keep_addresses(call: Call[NewUser, None]) -> Reply:
    """G07: keep the e-mail of somebody who left."""
    if await call.database.query_one("SELECT id FROM users WHERE lower(email) = ?", call.body.email.lower()):
        raise taken()
    return await make_user(call)


async def keep_files(call: Call[None, None]) -> Reply:
    """G08: the rows of a product's pictures go with it, and the pictures stay where anyone has their addresses."""
    await call.database.transaction(partial(remove, call.identity, call.path["id"]), locking=True)
    return Reply()


DEFECTS = (
    Defect(
        id="G01",
        title="A review can be read when its product is gone",
        codes=("delete.child",),
        operations=("products.delete",),
        plant=changed("reviews.get", handler=orphaned_review),
    ),
    Defect(
        id="G02",
        title="A deleted product can be ordered",
        codes=("delete.used",),
        operations=("products.delete",),
        plant=changed("orders.create", handler=order_anything),
    ),
    Defect(
        id="G03",
        title="The figures count deleted products",
        codes=("delete.counted",),
        operations=("products.delete",),
        plant=changed("admin.stats", handler=count_the_gone),
    ),
    Defect(
        id="G04",
        title="A search finds deleted products",
        codes=("delete.listed",),
        operations=("products.delete",),
        plant=changed("products.list", handler=Listing(condition=_found_though_gone)),
    ),
    Defect(
        id="G05",
        title="Deleted posts are listed",
        codes=("delete.listed",),
        operations=("posts.delete",),
        plant=changed("posts.list", handler=list_the_gone),
    ),
    Defect(
        id="G06",
        title="A category is deleted under its products",
        codes=("delete.in-use",),
        operations=("categories.delete",),
        plant=changed("categories.delete", handler=delete_in_use),
    ),
    Defect(
        id="G07",
        title="The e-mail of a deleted user stays taken",
        codes=("delete.unique",),
        operations=("users.delete",),
        plant=changed("users.create", handler=keep_addresses),
    ),
    Defect(
        id="G08",
        title="The pictures of a deleted product can be fetched",
        codes=("delete.file",),
        operations=("products.delete",),
        plant=changed("products.delete", handler=keep_files),
    ),
)
