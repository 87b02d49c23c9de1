"""Defects of HTTP itself and of what a write leaves behind: H1 to H7."""

from __future__ import annotations

import struct
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from reference_impl.data.database import Statement
from reference_impl.defects.defect import EVERY_OPERATION, Defect, changed
from reference_impl.edge.authentication import Authentication
from reference_impl.edge.outer import Outer
from reference_impl.edge.routes import Paths
from reference_impl.errors import ApiError
from reference_impl.price import Price
from reference_impl.procedures.categories import create_category
from reference_impl.procedures.product_writes import create_product, insert, update_product

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from reference_impl.application import Parts
    from reference_impl.contract.procedure import Call, Reply
    from reference_impl.data.database import Transaction
    from reference_impl.identity.tokens import Identity
    from reference_impl.procedures.categories import CategoryInput
    from reference_impl.procedures.product_types import ProductInput, ProductPatch

_STOCK = "UPDATE products SET stock = coalesce(?, stock) WHERE id = ? AND seller_id = ? AND deleted_at IS NULL"
_BODY_BYTES = 1_048_576
_MOST_CENTS = 99_999_999
_CATEGORY = "SELECT id FROM categories LIMIT 1"


class Cutting(Outer):
    """H7: read a body whose length is not told up to the bound, and no further; what came so far is taken for it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        told = dict(scope.get("headers", ()))
        if scope["type"] != "http" or b"content-length" in told or b"json" not in told.get(b"content-type", b""):
            await super().__call__(scope, receive, send)
            return
        left = _BODY_BYTES

        async def receive_cut() -> Message:
            nonlocal left
            message = await receive()
            if message["type"] != "http.request":
                return message
            body = message.get("body", b"")[:left]
            left -= len(body)
            return {**message, "body": body, "more_body": message.get("more_body", False) and left > 0}

        await super().__call__(scope, receive_cut, send)


def bare(error: ApiError) -> ApiError:
    """Return the refusal without the headers that it has of its own."""
    return ApiError(error.code, error.message, details=error.details)


class SilentPaths(Paths):
    """H1: a 405 does not say which methods there are."""

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        try:
            await super().app(scope, receive, send)
        except ApiError as error:
            raise (bare(error) if error.code == "METHOD_NOT_ALLOWED" else error) from None


class SilentAuthentication(Authentication):
    """H2: a 401 does not say how to sign in."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        try:
            await super().__call__(scope, receive, send)
        except ApiError as error:
            raise (bare(error) if error.code == "UNAUTHORIZED" else error) from None


def plant_no_allow(parts: Parts) -> Parts:
    """H1: use the silent paths."""
    return replace(parts, paths=SilentPaths)


def plant_no_challenge(parts: Parts) -> Parts:
    """H2: use the silent authentication."""
    return replace(parts, authentication=SilentAuthentication)


async def create_elsewhere(call: Call[CategoryInput, None]) -> Reply:
    """H3: the address of what was made is of a route that was renamed."""
    made = await create_category(call)
    return replace(made, headers=(call.location(f"/category/{made.value.id}"),))


async def update_stock_first(call: Call[ProductPatch, None]) -> Reply:
    """H4: the stock is written before the version is compared, in a transaction of its own."""
    stock = None if call.body.stock is UNSET else call.body.stock
    await call.database.run(_STOCK, stock, call.path["id"], call.identity.user_id)
    return await update_product(call)


async def create_rounded(call: Call[ProductInput, None]) -> Reply:
    """H5: the price passes a float of 32 bits."""
    (price,) = struct.unpack("f", struct.pack("f", call.body.price.cents / 100))
    cents = min(round(price * 100), _MOST_CENTS)
    return await create_product(replace(call, body=msgspec.structs.replace(call.body, price=Price(cents))))


async def create_first(call: Call[ProductInput, None]) -> Reply:
    """H6: the product is written under some category before the one that was named is looked up."""
    try:
        return await create_product(call)
    except ApiError as error:
        if error.code == "INVALID_REFERENCE":
            await call.database.transaction(partial(_insert_anywhere, call.identity, call.body))
        raise


def _insert_anywhere(identity: Identity, body: ProductInput) -> Transaction[None]:
    rows = yield Statement(_CATEGORY)
    if rows:
        yield from insert(identity, msgspec.structs.replace(body, category_id=rows[0][0]))


DEFECTS = (
    Defect(
        id="H1",
        title="405 has no Allow",
        codes=("http.allow", "fuzz.unsupported_method"),
        operations=EVERY_OPERATION,
        plant=plant_no_allow,
    ),
    Defect(
        id="H2",
        title="401 has no WWW-Authenticate",
        codes=("http.challenge", "schema.missing-header"),
        operations=EVERY_OPERATION,
        plant=plant_no_challenge,
    ),
    Defect(
        id="H3",
        title="The Location of a new category leads nowhere",
        codes=("http.location",),
        operations=("categories.create",),
        plant=changed("categories.create", handler=create_elsewhere),
    ),
    Defect(
        id="H4",
        title="A product's stock is changed although the version is refused",
        codes=("writes.refused-effect",),
        operations=("products.update",),
        plant=changed("products.update", handler=update_stock_first),
    ),
    Defect(
        id="H5",
        title="The price of a new product is rounded to a float of 32 bits",
        codes=("writes.number",),
        operations=("products.create",),
        plant=changed("products.create", handler=create_rounded),
    ),
    Defect(
        id="H6",
        title="A product that is refused for its category is made all the same",
        codes=("writes.refused-made",),
        operations=("products.create",),
        plant=changed("products.create", handler=create_first),
    ),
    Defect(
        id="H7",
        title="A body whose length is not told is cut off at the bound, and taken",
        codes=("http.body-bound",),
        operations=EVERY_OPERATION,
        plant=lambda parts: replace(parts, outer=Cutting),
    ),
)
