"""Defects of the catalogue: S10, S13, S14, S15, C3b."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from msgspec import UNSET

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import Call, Reply
from reference_impl.data.database import Statement, Transaction
from reference_impl.defects.defect import Defect, changed
from reference_impl.errors import ApiError, not_found
from reference_impl.procedures.product_types import COLUMNS, Product, ProductInput, ProductPatch, etag, product_of
from reference_impl.procedures.product_writes import (
    Seen,
    change,
    compare,
    create_product,
    owned,
    remove,
    seen_by,
    write,
)

if TYPE_CHECKING:
    from reference_impl.identity.tokens import Identity

_ANY = (
    f"SELECT {COLUMNS} FROM products p LEFT JOIN categories c ON c.id = p.category_id "  # noqa: S608 - constants only
    "WHERE p.id = ?"
)
_GONE = "SELECT 1 FROM products WHERE id = ? AND deleted_at IS NOT NULL"


async def create_without_location(call: Call[ProductInput, None]) -> Reply:
    """S10b: answer 201 and do not say where."""
    reply = await create_product(call)
    return Reply(reply.value, tuple(header for header in reply.headers if header[0] != b"location"))


async def update_deleted(call: Call[ProductPatch, None]) -> Reply:
    """S13: change a product whether it is deleted or not."""
    product = await call.database.transaction(
        partial(_change_any, call.identity, call.path["id"], call.body, seen_by(call))
    )
    return Reply(product, etag(product.version))


def _change_any(identity: Identity, product_id: str, body: ProductPatch, seen: Seen) -> Transaction[Product]:
    rows = yield Statement(_ANY, (product_id,))
    if not rows:
        raise not_found("product")
    owned(identity, rows[0])
    # Deletion raised the version once more; a client that reads before it deletes still holds the one before it.
    if not (yield Statement(_GONE, (product_id,))):
        compare(seen, rows[0][7])
    yield from write(product_id, body)
    rows = yield Statement(_ANY, (product_id,))
    return product_of(rows[0], [])


async def update_against_own_read(call: Call[ProductPatch, None]) -> Reply:
    """S14: compare the version that was just read with itself."""
    seen = seen_by(call)
    if seen.tag is None and seen.version is None:
        raise ApiError("PRECONDITION_REQUIRED", "Send the version you saw, as If-Match or as `version`.")
    product = await call.database.transaction(partial(_change_newest, call.identity, call.path["id"], call.body))
    return Reply(product, etag(product.version))


def _change_newest(identity: Identity, product_id: str, body: ProductPatch) -> Transaction[Product]:
    rows = yield Statement(_ANY, (product_id,))
    if not rows:
        raise not_found("product")
    return (yield from change(identity, product_id, body, Seen(None, rows[0][7])))


async def update_unsearched(call: Call[ProductPatch, None]) -> Reply:
    """C3b: what is searched in is written anew with the name alone; a new description is not found, the old one is."""
    body = partial(_change_unsearched, call.identity, call.path["id"], call.body, seen_by(call))
    product = await call.database.transaction(body)
    return Reply(product, etag(product.version))


def _change_unsearched(identity: Identity, product_id: str, body: ProductPatch, seen: Seen) -> Transaction[Product]:
    before = yield Statement("SELECT search_text FROM products WHERE id = ?", (product_id,))
    product = yield from change(identity, product_id, body, seen)
    if body.name is UNSET:
        yield Statement("UPDATE products SET search_text = ? WHERE id = ?", (before[0][0], product_id))
    return product


async def delete_again(call: Call[None, None]) -> Reply:
    """S15a: a deleted product can be deleted once more."""
    await call.database.transaction(partial(_remove_any, call.identity, call.path["id"]))
    return Reply()


def _remove_any(identity: Identity, product_id: str) -> Transaction[None]:
    rows = yield Statement(_ANY, (product_id,))
    if not rows:
        raise not_found("product")
    owned(identity, rows[0])
    if (yield Statement(_GONE, (product_id,))):
        now = rfc3339(time.time())
        yield Statement("UPDATE products SET deleted_at = ? WHERE id = ?", (now, product_id))
        return
    yield from remove(identity, product_id)


async def delete_by_owner_only(call: Call[None, None]) -> Reply:
    """S15b: an admin is a stranger."""
    caller = call.identity
    owner_only = replace(caller, roles=caller.roles - {"admin"})
    await call.database.transaction(partial(remove, owner_only, call.path["id"]))
    return Reply()


DEFECTS = (
    Defect(
        id="S10a",
        title="Product create answers 200, not 201",
        codes=("schema.undocumented-status",),
        operations=("products.create",),
        plant=changed("products.create", status=200),
    ),
    Defect(
        id="S10b",
        title="Product create answers without Location",
        codes=("schema.missing-header",),
        operations=("products.create",),
        plant=changed("products.create", handler=create_without_location),
    ),
    Defect(
        id="S13",
        title="A deleted product can be changed",
        codes=("delete.changed", "fuzz.use_after_free"),
        operations=("products.update", "products.delete"),
        plant=changed("products.update", handler=update_deleted),
    ),
    Defect(
        id="S14",
        title="The version compared is the one just read, so two edits of one version both succeed",
        codes=("version.lost-update", "version.two-winners"),
        operations=("products.update",),
        plant=changed("products.update", handler=update_against_own_read),
    ),
    Defect(
        id="C3b",
        title="A product is searched for by the description that it had before",
        codes=("filter.missing", "filter.unfit"),
        operations=("products.list",),
        plant=changed("products.update", handler=update_unsearched),
    ),
    Defect(
        id="S15a",
        title="A second delete succeeds again",
        codes=("delete.again", "fuzz.use_after_free"),
        operations=("products.delete",),
        plant=changed("products.delete", handler=delete_again),
    ),
    Defect(
        id="S15b",
        title="An admin cannot delete another's product",
        codes=("owner.role-refused", "roles.role-refused"),
        operations=("products.delete",),
        plant=changed("products.delete", handler=delete_by_owner_only),
    ),
)
