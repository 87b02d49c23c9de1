"""Categories: read by anyone, kept by admins, not deleted while a product stands in one."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import msgspec
import uuid_utils
from msgspec import Meta

from reference_impl.clock import rfc3339
from reference_impl.contract.fields import Count, Id, Limit, Name, PageNumber, Time
from reference_impl.contract.procedure import ADMIN, ANYONE, Call, Procedure, Reply
from reference_impl.data.database import DatabaseError, Row, Statement, Transaction
from reference_impl.errors import ApiError, not_found
from reference_impl.procedures.paging import NEWEST_FIRST, NUMBERED, pages_of
from reference_impl.procedures.records import audit, changed, emit_all

if TYPE_CHECKING:
    from reference_impl.procedures.records import Steps

_LIST = "SELECT id, name, created_at, updated_at FROM categories ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"
_COUNT = "SELECT COUNT(*) FROM categories"
_GET = "SELECT id, name, created_at, updated_at FROM categories WHERE id = ?"
_INSERT = "INSERT INTO categories (id, name, created_at, updated_at) VALUES (?, ?, ?, ?)"
_RENAME = "UPDATE categories SET name = ?, updated_at = ? WHERE id = ? RETURNING id, name, created_at, updated_at"
# Products before their category, as whoever moves one into it: then neither waits for the other forever.
_STANDING = "SELECT id FROM products WHERE category_id = ? AND deleted_at IS NULL ORDER BY id"
# A product shows its category's name, so a new name is a change of the product.
_RAISE = (
    "UPDATE products SET version = version + 1, updated_at = ? WHERE category_id = ? AND deleted_at IS NULL "
    "RETURNING id, version"
)
_IN_USE = "SELECT 1 FROM products WHERE category_id = ? AND deleted_at IS NULL LIMIT 1"
_FREE = "UPDATE products SET category_id = NULL WHERE category_id = ?"
_DELETE = "DELETE FROM categories WHERE id = ? RETURNING id"

CategoryName = Annotated[Name, Meta(examples=["Bowls"])]


class Category(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A category."""

    id: Id
    name: CategoryName
    created_at: Time
    updated_at: Time


class CategoryInput(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A category's name, unique in the tenant."""

    name: CategoryName


class CategoryQuery(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Which page."""

    page: PageNumber = 1
    limit: Limit = 20


class CategoryPage(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One page of categories, newest first."""

    items: list[Category]
    total: Count
    page: PageNumber
    pages: Count


def _taken(error: DatabaseError) -> Exception:
    if error.category == "unique":
        return ApiError("CONFLICT", "A category has this name.")
    return error


async def list_categories(call: Call[None, CategoryQuery]) -> Reply:
    """Return one page."""
    query = call.query
    rows, total = await call.database.read(partial(_page, query))
    items = [Category(*row) for row in rows]
    return Reply(CategoryPage(items, total, query.page, pages_of(total, query.limit)))


def _page(query: CategoryQuery) -> Transaction[tuple[list[Row], int]]:
    rows = yield Statement(_LIST, (query.limit, (query.page - 1) * query.limit))
    count = yield Statement(_COUNT)
    return rows, count[0][0]


async def get_category(call: Call[None, None]) -> Reply:
    """Return one category."""
    row = await call.database.query_one(_GET, call.path["id"])
    if row is None:
        raise not_found("category")
    return Reply(Category(*row))


async def create_category(call: Call[CategoryInput, None]) -> Reply:
    """Make a category."""
    now = rfc3339(time.time())
    category = Category(str(uuid_utils.uuid7()), call.body.name, now, now)
    try:
        await call.database.transaction(partial(_insert, call.identity.user_id, category))
    except DatabaseError as error:
        raise _taken(error) from error
    return Reply(category, (call.location(f"/categories/{category.id}"),))


def _insert(actor_id: str, category: Category) -> Steps:
    yield Statement(_INSERT, (category.id, category.name, category.created_at, category.updated_at))
    yield from audit(actor_id, "categories.create", category.id, name=category.name)


async def update_category(call: Call[CategoryInput, None]) -> Reply:
    """Rename a category."""
    try:
        body = partial(rename, call.identity.user_id, call.path["id"], call.body.name)
        row = await call.database.transaction(body, locking=True)
    except DatabaseError as error:
        raise _taken(error) from error
    return Reply(Category(*row))


def rename(actor_id: str, category_id: str, name: str) -> Transaction[Row]:
    """Write the name, raise its products, also those that came in while this waited for them, and tell of each."""
    now = rfc3339(time.time())
    yield Statement(_STANDING, (category_id,), lock=True)
    rows = yield Statement(_RENAME, (name, now, category_id))
    if not rows:
        raise not_found("category")
    raised = yield Statement(_RAISE, (now, category_id))
    yield from audit(actor_id, "categories.update", category_id, name=name)
    yield from emit_all([changed(product_id, version, category_id) for product_id, version in sorted(raised)])
    return rows[0]


async def delete_category(call: Call[None, None]) -> Reply:
    """Delete a category that no product uses."""
    await call.database.transaction(partial(_remove, call.identity.user_id, call.path["id"]))
    return Reply()


def _remove(actor_id: str, category_id: str) -> Transaction[None]:
    if (yield Statement(_IN_USE, (category_id,))):
        raise _in_use()
    yield Statement(_FREE, (category_id,))
    try:
        deleted = yield Statement(_DELETE, (category_id,))
    except DatabaseError as error:
        # A product came in since it was looked for.
        raise (_in_use() if error.category == "foreign" else error) from error
    if not deleted:
        raise not_found("category")
    yield from audit(actor_id, "categories.delete", category_id)


def _in_use() -> ApiError:
    return ApiError("CONFLICT", "Products stand in this category: move them first.")


_GONE = {
    "kind": "hard",
    "gone": [404],
    "again": 404,
    "used": {"resource": "product", "status": 409},
    "unique": {"member": "/name", "becomes": "free"},
    "counts": [{"operation": "admin.stats", "member": "/categories"}],
}

PROCEDURES = (
    Procedure(
        id="categories.list",
        method="GET",
        path="/categories",
        summary="A page of categories",
        handler=list_categories,
        access=ANYONE,
        limit="list",
        query=CategoryQuery,
        output=CategoryPage,
        cached="categories",
        promises={"page": NUMBERED, "sort": NEWEST_FIRST},
    ),
    Procedure(
        id="categories.create",
        method="POST",
        path="/categories",
        summary="Make a category",
        handler=create_category,
        changes=("categories",),
        access=ADMIN,
        limit="create",
        input=CategoryInput,
        output=Category,
        status=201,
        errors=("CONFLICT",),
        response_headers=("Location",),
        links=("categories.get", "categories.update", "categories.delete"),
    ),
    Procedure(
        id="categories.get",
        method="GET",
        path="/categories/{id}",
        summary="One category",
        handler=get_category,
        access=ANYONE,
        limit="get",
        output=Category,
    ),
    Procedure(
        id="categories.update",
        method="PATCH",
        path="/categories/{id}",
        summary="Rename a category",
        handler=update_category,
        changes=("categories", "products"),
        access=ADMIN,
        limit="update",
        input=CategoryInput,
        output=Category,
        errors=("CONFLICT",),
    ),
    Procedure(
        id="categories.delete",
        method="DELETE",
        path="/categories/{id}",
        summary="Delete a category",
        handler=delete_category,
        changes=("categories",),
        access=ADMIN,
        limit="delete",
        status=204,
        errors=("CONFLICT",),
        promises={"delete": _GONE},
    ),
)
