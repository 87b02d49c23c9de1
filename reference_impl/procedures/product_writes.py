"""The writes of products: each one transaction with its audit row and its event row."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
import unicodedata
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import uuid_utils
from msgspec import UNSET

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import Call, Reply
from reference_impl.data.database import DatabaseError, Row, Statement, Transaction
from reference_impl.data.search import folded
from reference_impl.errors import ApiError, invalid, not_found
from reference_impl.objects.store import address
from reference_impl.price import Price
from reference_impl.procedures.product_reads import ONE, images_of, read
from reference_impl.procedures.product_types import Product, ProductInput, ProductPatch, etag, product_of
from reference_impl.procedures.records import audit, emit

if TYPE_CHECKING:
    from reference_impl.identity.tokens import Identity

_INSERT = (
    "INSERT INTO products (id, seller_id, category_id, name, slug, description, search_text, price_cents, stock, "
    "version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?) "
    "ON CONFLICT (slug) DO NOTHING RETURNING id"
)
_IMAGE = "INSERT INTO product_images (product_id, position, url) VALUES (?, ?, ?)"
UPDATE = (
    "UPDATE products SET name = coalesce(?, name), price_cents = coalesce(?, price_cents), "
    "category_id = coalesce(?, category_id), stock = coalesce(?, stock), description = coalesce(?, description), "
    "version = version + 1, updated_at = ? WHERE id = ?"
)
# What others may not change while a body decides on it; joins come after.
LOCK = "SELECT id FROM products WHERE id = ?"
_NAMED = "SELECT name, description FROM products WHERE id = ?"
_SEARCH = "UPDATE products SET search_text = ? WHERE id = ?"
_DELETE = "UPDATE products SET deleted_at = ?, version = version + 1 WHERE id = ?"
_DELETE_IMAGES = "DELETE FROM product_images WHERE product_id = ? RETURNING url, thumbnail_url"
_IF_MATCH = re.compile(r'"([^"]{0,64})"')
_SLUG_LENGTH = 200
# How long a delete that is committed waits for the store of files.
_FILES_S = 2.0
OWNER = {"resource": "product", "roles": ["admin"], "stranger": 403}


@dataclass(frozen=True, slots=True)
class Seen:
    """The version a client says it saw, in one or both forms."""

    tag: str | None
    version: int | None


async def create_product(call: Call[ProductInput, None]) -> Reply:
    """Make a product of the caller's."""
    product = await call.database.transaction(partial(insert, call.identity, call.body), locking=True)
    return Reply(product, (call.location(f"/products/{product.id}"), *etag(product.version)))


def insert(identity: Identity, body: ProductInput) -> Transaction[Product]:
    """Write product, images, audit row and event row."""
    product_id = str(uuid_utils.uuid7())
    slug = slug_of(body.name)
    now = rfc3339(time.time())
    named = (product_id, identity.user_id, body.category_id, body.name)
    values = (body.description, folded(body.name, body.description), body.price.cents, body.stock, now, now)
    try:
        if not (yield Statement(_INSERT, (*named, slug, *values))):
            yield Statement(_INSERT, (*named, f"{slug}-{product_id[-12:]}", *values))
    except DatabaseError as error:
        raise unknown_category(error) from error
    for position, url in enumerate(body.images):
        yield Statement(_IMAGE, (product_id, position, url))
    yield from audit(identity.user_id, "products.create", product_id, name=body.name)
    yield from emit("products", "created", id=product_id, categoryId=body.category_id, version=1)
    rows = yield Statement(ONE, (product_id,))
    return product_of(rows[0], images_of((url, None) for url in body.images), reviews=[])


def unknown_category(error: DatabaseError) -> Exception:
    """Return the INVALID_REFERENCE for a category that is not there, or the error itself."""
    if error.category == "foreign":
        return ApiError("INVALID_REFERENCE", "categoryId names no category.")
    return error


def slug_of(name: str) -> str:
    """Return a name as lower-case words between hyphens; never empty."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:_SLUG_LENGTH].strip("-") or "product"


async def update_product(call: Call[ProductPatch, None]) -> Reply:
    """Change a product, if the version the client saw is still the newest."""
    seen = seen_by(call)
    body = partial(change, call.identity, call.path["id"], call.body, seen)
    product = await call.database.transaction(body, locking=True)
    return Reply(product, etag(product.version))


def seen_by(call: Call[ProductPatch, None]) -> Seen:
    """Read If-Match and `version`; VALIDATION_ERROR when malformed or unequal."""
    version = None if call.body.version is UNSET else call.body.version
    header = call.headers.get("if-match")
    if header is None or header.strip() == "*":  # `*` names no version, so none was seen
        return Seen(None, version)
    match = _IF_MATCH.fullmatch(header.strip().removeprefix("W/"))
    if match is None:
        raise invalid("If-Match", 'it must be one entity tag such as "3"')
    # RFC 9110 13.1.1: If-Match compares strongly, so a weak tag equals nothing.
    tag = header.strip()
    if version is not None and tag != f'"{version}"':
        raise invalid("If-Match", "it and the member version name different versions")
    return Seen(tag, version)


def owned(identity: Identity, row: Row) -> None:
    """FORBIDDEN unless the caller sells this product or is an admin."""
    if not identity.admin and row[1] != identity.user_id:
        raise ApiError("FORBIDDEN", "This product is another seller's.")


def compare(seen: Seen, version: int) -> None:
    """PRECONDITION_REQUIRED without a version; PRECONDITION_FAILED or CONFLICT with one that is stale."""
    if seen.tag is None and seen.version is None:
        raise ApiError("PRECONDITION_REQUIRED", "Send the version you saw, as If-Match or as `version`.")
    if seen.tag is not None and seen.tag != f'"{version}"':
        raise ApiError("PRECONDITION_FAILED", "The product has changed since: read it again.")
    if seen.version is not None and seen.version != version:
        raise ApiError("CONFLICT", "The product has changed since: read it again.")


def change(identity: Identity, product_id: str, body: ProductPatch, seen: Seen) -> Transaction[Product]:
    """Compare and write in one transaction, with audit row and event row."""
    yield Statement(LOCK, (product_id,), lock=True)
    rows = yield Statement(ONE, (product_id,))
    if not rows:
        raise not_found("product")
    owned(identity, rows[0])
    compare(seen, rows[0][7])
    yield from write(product_id, body)
    yield from audit(identity.user_id, "products.update", product_id, version=rows[0][7] + 1)
    yield from emit("products", "updated", id=product_id, version=rows[0][7] + 1, **placed(body, rows[0][10]))
    return (yield from read(product_id))


def placed(body: ProductPatch, before: str) -> dict[str, str]:
    """Return where a product stands after a change, and where it stood if that moved it: both categories hear of it."""
    if body.category_id is UNSET or body.category_id == before:
        return {"categoryId": before}
    return {"categoryId": body.category_id, "previousCategoryId": before}


def write(product_id: str, body: ProductPatch) -> Transaction[None]:
    """Write what a patch names."""
    price = body.price.cents if isinstance(body.price, Price) else None
    members = (body.name, price, body.category_id, body.stock, body.description)
    values = tuple(None if member is UNSET else member for member in members)
    try:
        yield Statement(UPDATE, (*values, rfc3339(time.time()), product_id))
    except DatabaseError as error:
        raise unknown_category(error) from error
    if body.name is not UNSET or body.description is not UNSET:
        rows = yield Statement(_NAMED, (product_id,))
        yield Statement(_SEARCH, (folded(*rows[0]), product_id))


async def delete_product(call: Call[None, None]) -> Reply:
    """Delete a product: from now on it is nowhere, nor are the pictures that were uploaded for it."""
    urls = await call.database.transaction(partial(remove, call.identity, call.path["id"]), locking=True)
    own = address(call.tenant, f"{call.path['id']}-")
    await _forget_files(call, [url for url in urls if url.startswith(own)])
    return Reply()


async def _forget_files(call: Call[None, None], urls: list[str]) -> None:
    """Delete files after the commit, as a row's file is always there, until one cannot be.

    The product is deleted whatever the store does: what is left, by a kill as by an outage, goes with `retain`.
    """
    with contextlib.suppress(ApiError, TimeoutError):
        async with asyncio.timeout(_FILES_S):
            for url in urls:
                await call.services.objects.delete(call.tenant, url.rpartition("/")[2])


def remove(identity: Identity, product_id: str) -> Transaction[list[str]]:
    """Mark the row deleted, drop its images, write audit row and event row; return where the images were."""
    yield Statement(LOCK, (product_id,), lock=True)
    rows = yield Statement(ONE, (product_id,))
    if not rows:
        raise not_found("product")
    owned(identity, rows[0])
    yield Statement(_DELETE, (rfc3339(time.time()), product_id))
    images = yield Statement(_DELETE_IMAGES, (product_id,))
    yield from audit(identity.user_id, "products.delete", product_id)
    yield from emit("products", "deleted", id=product_id, version=rows[0][7] + 1, categoryId=rows[0][10])
    return [url for row in images for url in row if url]
