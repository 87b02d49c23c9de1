"""Defects of versions: C5a, C5b, C5c, C5e."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from msgspec import UNSET

from reference_impl.contract.procedure import Call, Reply
from reference_impl.data.database import Statement, Transaction
from reference_impl.defects.defect import Defect, changed
from reference_impl.errors import ApiError, not_found
from reference_impl.procedures.product_reads import ONE, read
from reference_impl.procedures.product_types import etag
from reference_impl.procedures.product_writes import Seen, change, compare, owned, seen_by, update_product

if TYPE_CHECKING:
    from reference_impl.identity.tokens import Identity
    from reference_impl.procedures.product_types import Product, ProductPatch

# About a round trip to a database that is near.
_ROUND_TRIP_S = 0.005
_LOWER = "UPDATE products SET version = version - 1 WHERE id = ?"


async def update_without_version(call: Call[ProductPatch, None]) -> Reply:
    """C5a: a version is compared `if` one is sent; an edit that tells none overwrites whatever is there."""
    body = partial(_change_unseen, call.identity, call.path["id"], call.body, seen_by(call))
    product = await call.database.transaction(body)
    return Reply(product, etag(product.version))


def _change_unseen(identity: Identity, product_id: str, body: ProductPatch, seen: Seen) -> Transaction[Product]:
    rows = yield Statement(ONE, (product_id,))
    if rows and seen.tag is None and seen.version is None:
        seen = Seen(None, rows[0][7])
    return (yield from change(identity, product_id, body, seen))


async def update_in_conflict(call: Call[ProductPatch, None]) -> Reply:
    """C5b: a stale If-Match is a conflict like a stale member; it is 409 where 412 is promised."""
    try:
        return await update_product(call)
    except ApiError as error:
        if error.code != "PRECONDITION_FAILED":
            raise
        raise ApiError("CONFLICT", error.message) from error


async def update_after_looking(call: Call[ProductPatch, None]) -> Reply:
    """C5c: the version is compared in front of the transaction; of two edits at one instant both succeed."""
    product_id = call.path["id"]
    row = await call.database.query_one(ONE, product_id)
    if row is None:
        raise not_found("product")
    owned(call.identity, row)
    compare(seen_by(call), row[7])
    await asyncio.sleep(_ROUND_TRIP_S)
    product = await call.database.transaction(partial(_change_newest, call.identity, product_id, call.body))
    return Reply(product, etag(product.version))


def _change_newest(identity: Identity, product_id: str, body: ProductPatch) -> Transaction[Product]:
    rows = yield Statement(ONE, (product_id,))
    if not rows:
        raise not_found("product")
    return (yield from change(identity, product_id, body, Seen(None, rows[0][7])))


async def update_stock_quietly(call: Call[ProductPatch, None]) -> Reply:
    """C5e: a change of the stock alone is no edit; the body is another and version and ETag are as before."""
    body = partial(_change_quietly, call.identity, call.path["id"], call.body, seen_by(call))
    product = await call.database.transaction(body)
    return Reply(product, etag(product.version))


def _change_quietly(identity: Identity, product_id: str, body: ProductPatch, seen: Seen) -> Transaction[Product]:
    product = yield from change(identity, product_id, body, seen)
    if any(member is not UNSET for member in (body.name, body.price, body.category_id, body.description)):
        return product
    yield Statement(_LOWER, (product_id,))
    return (yield from read(product_id))


_UPDATE = ("products.update",)

DEFECTS = (
    Defect(
        id="C5a",
        title="An edit of a product that tells no version is taken",
        codes=("version.missing-accepted",),
        operations=_UPDATE,
        plant=changed("products.update", handler=update_without_version),
    ),
    Defect(
        id="C5b",
        title="A stale If-Match is 409, not 412",
        codes=("version.status",),
        operations=_UPDATE,
        plant=changed("products.update", handler=update_in_conflict),
    ),
    Defect(
        id="C5c",
        title="The version is compared in front of the transaction: of edits at one instant more than one succeeds",
        codes=("version.two-winners", "version.lost-update"),
        operations=_UPDATE,
        plant=changed("products.update", handler=update_after_looking),
    ),
    Defect(
        id="C5e",
        title="A change of a product's stock alone does not raise its version",
        codes=("version.not-raised", "version.lost-update", "version.two-winners", "cache.tag"),
        operations=("products.update", "products.get"),
        plant=changed("products.update", handler=update_stock_quietly),
    ),
)
