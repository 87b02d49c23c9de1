"""Products: the list, one, create, update against the version seen, soft delete."""

from __future__ import annotations

import functools
from functools import partial
from typing import Any

from msgspec import UNSET

from reference_impl.contract.procedure import ANYONE, SELLER, SIGNED_IN, Call, Procedure, Reply
from reference_impl.data.database import Row, Statement, Transaction, marks
from reference_impl.data.search import containing
from reference_impl.procedures.paging import NUMBERED, pages_of
from reference_impl.procedures.product_reads import get_product, images_of
from reference_impl.procedures.product_types import (
    COLUMNS,
    Product,
    ProductInput,
    ProductItem,
    ProductPage,
    ProductPatch,
    ProductQuery,
    item_of,
)
from reference_impl.procedures.product_writes import OWNER, create_product, delete_product, update_product

_PAGE = (
    "SELECT {columns} FROM (SELECT * FROM products WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?) p "
    "JOIN categories c ON c.id = p.category_id ORDER BY {outer}"
)
_COUNT = "SELECT COUNT(*) FROM products WHERE {where}"
# Without a filter no row is looked at: the entries of an index are counted, and what is deleted is little.
_COUNT_ALL = "SELECT (SELECT COUNT(*) FROM products) - (SELECT COUNT(*) FROM products WHERE deleted_at IS NOT NULL)"
# So many rows are skipped in a quarter of a millisecond: such a page needs no thread of its own.
_NEAR = 10_000
_PAGE_IMAGES = (
    "SELECT product_id, url, thumbnail_url FROM product_images WHERE product_id IN ({}) ORDER BY product_id, position"
)
_BY = {"price": "price_cents", "createdAt": "created_at"}


async def list_products(call: Call[None, ProductQuery]) -> Reply:
    """Return one page in a stable order."""
    query = call.query
    small = (query.page - 1) * query.limit <= _NEAR and not filtered(query)[1]
    items, total = await call.database.read(partial(_page, query), small=small)
    return Reply(ProductPage(items, total, query.page, pages_of(total, query.limit)))


def _page(query: ProductQuery) -> Transaction[tuple[list[ProductItem], int]]:
    where, values = filtered(query)
    text = page_text(where, _BY[query.sort_by], query.sort_order)
    rows = yield Statement(text, (*values, query.limit, (query.page - 1) * query.limit))
    count = yield Statement(_COUNT.format(where=where) if values else _COUNT_ALL, values)
    images: dict[str, list[Row]] = {row[0]: [] for row in rows}
    if images:
        for product_id, *image in (yield Statement(_PAGE_IMAGES.format(marks(len(images))), tuple(images))):
            images[product_id].append(tuple(image))
    return [item_of(row, images_of(images[row[0]])) for row in rows], count[0][0]


def filtered(query: ProductQuery) -> tuple[str, tuple[Any, ...]]:
    """Return the condition that a query makes, built of constants, and its parameters."""
    conditions: list[str] = ["deleted_at IS NULL"]
    values: list[Any] = []
    if query.search:
        conditions.append(r"search_text LIKE ? ESCAPE '\'")
        values.append(containing(query.search))
    if query.category is not UNSET:
        conditions.append("category_id = ?")
        values.append(query.category)
    if query.min_price is not UNSET:
        conditions.append("price_cents >= ?")
        values.append(query.min_price.cents)
    if query.max_price is not UNSET:
        conditions.append("price_cents <= ?")
        values.append(query.max_price.cents)
    return " AND ".join(conditions), tuple(values)


@functools.cache
def page_text(where: str, column: str, order: str) -> str:
    """Return the text of a page: the rows are chosen first, and joined then."""
    chosen = f"{column} {order}, id {order}"
    return _PAGE.format(columns=COLUMNS, where=where, order=chosen, outer=f"p.{column} {order}, p.id {order}")


IF_MATCH = {
    "If-Match": {
        "description": "The ETag that was seen, in whatever coding. Either this or the member `version` must be sent.",
        "schema": {"type": "string", "pattern": '^"[0-9]{1,16}(-(zstd|br|gzip))?"$', "examples": ['"1"']},
    }
}
_VERSION = {
    "resource": "product",
    "forms": [
        {"in": "header", "name": "If-Match", "from": "header:ETag", "stale": 412},
        {"in": "body", "name": "version", "from": "/version", "stale": 409},
    ],
    "missing": 428,
}
_FILTER = {
    "parameters": {
        "search": {"operator": "contains", "members": ["/name", "/description"], "fold": True},
        "category": {"operator": "equals", "members": ["/category/id"], "sent": "/categoryId"},
        "minPrice": {"operator": "min", "members": ["/price"]},
        "maxPrice": {"operator": "max", "members": ["/price"]},
    }
}
_SORT = {
    "by": "sortBy",
    "direction": "sortOrder",
    "keys": {"price": "/price", "createdAt": "/createdAt"},
    "default": {"key": "createdAt", "direction": "descending"},
    "refused": [400],
}
_GONE = {
    "kind": "soft",
    "gone": [404],
    "again": 404,
    "writes": ["products.uploadImage", "reviews.create", "reviews.list"],
    "references": ["orders.create"],
    "children": [{"resource": "review", "becomes": "gone"}, {"resource": "order", "becomes": "kept"}],
    "counts": [{"operation": "admin.stats", "member": "/products"}],
    "files": {"operation": "products.uploadImage", "members": ["/images/*/url", "/images/*/thumbnailUrl"]},
}

PROCEDURES = (
    Procedure(
        id="products.list",
        method="GET",
        path="/products",
        summary="A page of products",
        handler=list_products,
        access=ANYONE,
        limit="list",
        query=ProductQuery,
        output=ProductPage,
        cached="products",
        promises={"page": NUMBERED, "filter": _FILTER, "sort": _SORT},
    ),
    Procedure(
        id="products.create",
        method="POST",
        path="/products",
        summary="Make a product",
        handler=create_product,
        changes=("products",),
        access=SELLER,
        limit="create",
        input=ProductInput,
        output=Product,
        status=201,
        errors=("INVALID_REFERENCE",),
        response_headers=("Location", "ETag"),
        links=(
            "products.get",
            "products.update",
            "products.delete",
            "products.uploadImage",
            "reviews.list",
            "reviews.create",
        ),
    ),
    Procedure(
        id="products.get",
        method="GET",
        path="/products/{id}",
        summary="One product",
        handler=get_product,
        access=ANYONE,
        limit="get",
        output=Product,
        response_headers=("ETag",),
    ),
    Procedure(
        id="products.update",
        method="PATCH",
        path="/products/{id}",
        summary="Change a product",
        description="The version seen is sent as `If-Match` (stale: 412) or `version` (stale: 409); else 428.",
        handler=update_product,
        changes=("products",),
        access=SIGNED_IN,
        limit="update",
        input=ProductPatch,
        partial=True,
        output=Product,
        errors=("FORBIDDEN", "INVALID_REFERENCE", "CONFLICT", "PRECONDITION_FAILED", "PRECONDITION_REQUIRED"),
        request_headers=IF_MATCH,
        response_headers=("ETag",),
        promises={"owner": OWNER, "version": _VERSION},
    ),
    Procedure(
        id="products.delete",
        method="DELETE",
        path="/products/{id}",
        summary="Delete a product",
        handler=delete_product,
        changes=("products",),
        access=SIGNED_IN,
        limit="delete",
        status=204,
        errors=("FORBIDDEN",),
        promises={"owner": OWNER, "delete": _GONE},
    ),
)
