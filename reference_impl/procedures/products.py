"""Products: the list, one, create, update against the version seen, soft delete."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from reference_impl.contract.procedure import ANYONE, SELLER, SIGNED_IN, Call, Procedure, Reply
from reference_impl.errors import not_found
from reference_impl.procedures.categories import pages_of
from reference_impl.procedures.product_types import (
    COLUMNS,
    Product,
    ProductInput,
    ProductPage,
    ProductPatch,
    ProductQuery,
    etag,
    product_of,
)
from reference_impl.procedures.product_writes import create_product, delete_product, update_product

_FROM = " FROM products p JOIN categories c ON c.id = p.category_id WHERE p.deleted_at IS NULL"
_FILTER = (
    " AND (? = '' OR instr(lower(p.name), lower(?)) > 0 OR instr(lower(p.description), lower(?)) > 0)"
    " AND (? IS NULL OR p.category_id = ?) AND (? IS NULL OR p.price_cents >= ?) AND (? IS NULL OR p.price_cents <= ?)"
)
_IMAGES = (
    "(SELECT json_group_array(url) FROM (SELECT url FROM product_images i WHERE i.product_id = p.id ORDER BY position))"
)
# Built once from constants; a request chooses among four texts and adds parameters only.
_LISTS = {
    (by, order): f"SELECT {COLUMNS}, {_IMAGES}, COUNT(*) OVER (){_FROM}{_FILTER} "
    f"ORDER BY p.{column} {order}, p.id {order} LIMIT ? OFFSET ?"
    for by, column in (("price", "price_cents"), ("createdAt", "created_at"))
    for order in ("asc", "desc")
}
_COUNT = f"SELECT COUNT(*){_FROM}{_FILTER}"
GET = f"SELECT {COLUMNS}, {_IMAGES}{_FROM} AND p.id = ?"
_images = msgspec.json.Decoder(list[str])


async def list_products(call: Call[None, ProductQuery]) -> Reply:
    """Return one page in a stable order."""
    query = call.query
    category = None if query.category is UNSET else query.category
    low = None if query.min_price is UNSET else query.min_price.cents
    high = None if query.max_price is UNSET else query.max_price.cents
    search = query.search
    filters: tuple[Any, ...] = (search, search, search, category, category, low, low, high, high)
    sql = _LISTS[query.sort_by, query.sort_order]
    rows = await call.database.query(sql, *filters, query.limit, (query.page - 1) * query.limit)
    total = rows[0][13] if rows else 0
    if not rows and query.page > 1:
        total = (await call.database.query(_COUNT, *filters))[0][0]
    items = [product_of(row, _images.decode(row[12])) for row in rows]
    return Reply(ProductPage(items, total, query.page, pages_of(total, query.limit)))


async def get_product(call: Call[None, None]) -> Reply:
    """Return one product with its entity tag."""
    row = await call.database.query_one(GET, call.path["id"])
    if row is None:
        raise not_found("product")
    return Reply(product_of(row, _images.decode(row[12])), etag(row[7]))


IF_MATCH = {
    "If-Match": {
        "description": "The ETag that was seen. Either this or the member `version` must be sent.",
        "schema": {"type": "string", "pattern": '^"[0-9]{1,16}"$', "examples": ['"1"']},
    }
}
_OWNER = {"resource": "product", "roles": ["admin"], "stranger": 403}
_VERSION = {
    "resource": "product",
    "forms": [
        {"in": "header", "name": "If-Match", "from": "header:ETag", "stale": 412},
        {"in": "body", "name": "version", "from": "/version", "stale": 409},
    ],
    "missing": 428,
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
    ),
    Procedure(
        id="products.create",
        method="POST",
        path="/products",
        summary="Make a product",
        handler=create_product,
        access=SELLER,
        limit="create",
        input=ProductInput,
        output=Product,
        status=201,
        errors=("INVALID_REFERENCE",),
        response_headers=("Location", "ETag"),
        links=("products.get", "products.update", "products.delete"),
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
        handler=update_product,
        access=SIGNED_IN,
        limit="update",
        input=ProductPatch,
        partial=True,
        output=Product,
        errors=("FORBIDDEN", "INVALID_REFERENCE", "CONFLICT", "PRECONDITION_FAILED", "PRECONDITION_REQUIRED"),
        request_headers=IF_MATCH,
        response_headers=("ETag",),
        promises={"owner": _OWNER, "version": _VERSION},
    ),
    Procedure(
        id="products.delete",
        method="DELETE",
        path="/products/{id}",
        summary="Delete a product",
        handler=delete_product,
        access=SIGNED_IN,
        limit="delete",
        status=204,
        errors=("FORBIDDEN",),
        promises={"owner": _OWNER},
    ),
)
