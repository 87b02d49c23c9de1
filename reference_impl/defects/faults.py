"""Defects of errors that nobody expected: S11, S37, S47, A9a, A9b."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from reference_impl.contract.procedure import Call, Reply
from reference_impl.data.database import DatabaseError, Statement, Transaction
from reference_impl.defects.defect import Defect, changed
from reference_impl.edge.answers import envelope
from reference_impl.errors import ApiError, unavailable
from reference_impl.procedures.categories import create_category
from reference_impl.procedures.product_types import etag
from reference_impl.procedures.product_writes import change, insert, seen_by, slug_of
from reference_impl.procedures.users import update_user

if TYPE_CHECKING:
    from reference_impl.application import Parts
    from reference_impl.edge.exchange import Exchange
    from reference_impl.identity.tokens import Identity
    from reference_impl.procedures.categories import CategoryInput
    from reference_impl.procedures.product_types import Product, ProductInput, ProductPatch
    from reference_impl.procedures.product_writes import Seen
    from reference_impl.procedures.user_types import UserPatch

_SLUG = "SELECT 1 FROM products WHERE slug = ?"
# As libraries between an application and its database put it behind what the database says.
_STATEMENT = "[SQL: UPDATE users SET email = ? WHERE id = ?]"
_CATEGORY = "SELECT name FROM categories WHERE id = ?"


async def create_with_plain_slug(call: Call[ProductInput, None]) -> Reply:
    """S11: a slug is the name's and nothing else; the second product of a name is a 500."""
    product = await call.database.transaction(partial(_insert_plain, call.identity, call.body))
    return Reply(product, (call.location(f"/products/{product.id}"), *etag(product.version)))


def _insert_plain(identity: Identity, body: ProductInput) -> Transaction[Product]:
    if (yield Statement(_SLUG, (slug_of(body.name),))):
        raise RuntimeError("UNIQUE constraint failed: products.slug")
    return (yield from insert(identity, body))


async def update_uncaught(call: Call[UserPatch, None]) -> Reply:
    """S37: nobody catches that an e-mail is taken; it is a 500."""
    try:
        return await update_user(call)
    except ApiError as error:
        if not isinstance(error.__cause__, DatabaseError):
            raise
        raise RuntimeError(f"{error.__cause__} {_STATEMENT}") from error.__cause__


def fault_told(error: ApiError, exchange: Exchange) -> Any:
    """S47: tell what was raised, as it helps in development; a taken e-mail shows a statement and a class."""
    body = envelope(error, exchange)
    if exchange.fault is not None:
        body.error.message = f"{type(exchange.fault).__name__}: {exchange.fault}"
    return body


def plant_told(parts: Parts) -> Parts:
    """S47: use the renderer that tells, and an update that raises."""
    return replace(changed("users.update", handler=update_uncaught)(parts), envelope=fault_told)


async def update_naming_category(call: Call[ProductPatch, None]) -> Reply:
    """A9a: take for granted that a category is there; a product moved to none that exists is a 500."""
    body = partial(_change_named, call.identity, call.path["id"], call.body, seen_by(call))
    product = await call.database.transaction(body)
    return Reply(product, etag(product.version))


def _change_named(identity: Identity, product_id: str, body: ProductPatch, seen: Seen) -> Transaction[Product]:
    if isinstance(body.category_id, str):
        rows = yield Statement(_CATEGORY, (body.category_id,))
        rows[0]
    return (yield from change(identity, product_id, body, seen))


async def create_or_wait(call: Call[CategoryInput, None]) -> Reply:
    """A9b: take whatever the database refuses for its being busy; a name that is taken is 503 for ever."""
    try:
        return await create_category(call)
    except ApiError as error:
        if not isinstance(error.__cause__, DatabaseError):
            raise
        raise unavailable("The database does not answer.") from error


DEFECTS = (
    Defect(
        id="S11",
        title="The slug of a name is not made unique: two products of one name are a 500",
        codes=("schema.server-error",),
        operations=("products.create",),
        plant=changed("products.create", handler=create_with_plain_slug),
    ),
    Defect(
        id="S37",
        title="A taken e-mail in a user's patch is a 500",
        codes=("schema.server-error",),
        operations=("users.update",),
        plant=changed("users.update", handler=update_uncaught),
    ),
    Defect(
        id="S47",
        title="A 500 carries what was raised, with its statement and class",
        codes=("leaks.sql", "leaks.stack"),
        operations=("users.update",),
        plant=plant_told,
    ),
    Defect(
        id="A9a",
        title="A product moved to a category that is not there is a 500",
        codes=("schema.server-error",),
        operations=("products.update",),
        plant=changed("products.update", handler=update_naming_category),
    ),
    Defect(
        id="A9b",
        title="A category's name that is taken is told as a busy database, to come again for ever",
        codes=("http.never-served",),
        operations=("categories.create",),
        plant=changed("categories.create", handler=create_or_wait),
    ),
)
