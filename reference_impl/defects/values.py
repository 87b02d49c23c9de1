"""Defects of what becomes of a value on its way in or out: A14a, A14b, C4a, C4b, C4c, C5d, D3a, G2a, G2b, G2c."""

from __future__ import annotations

import html
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from reference_impl.contract.fields import Id  # noqa: TC001 - msgspec reads annotations
from reference_impl.contract.procedure import Call, Reply
from reference_impl.data.database import Statement, Transaction
from reference_impl.defects.defect import Defect, changed
from reference_impl.edge.answers import encode
from reference_impl.errors import invalid
from reference_impl.price import LARGEST, Price
from reference_impl.procedures.orders import get_order, place
from reference_impl.procedures.post_writes import create_post
from reference_impl.procedures.product_types import ProductInput, ProductPatch
from reference_impl.procedures.product_writes import create_product, update_product
from reference_impl.procedures.reviews import create_review, list_reviews

if TYPE_CHECKING:
    from reference_impl.identity.tokens import Identity
    from reference_impl.procedures.order_types import Order, OrderInput
    from reference_impl.procedures.post_types import PostInput
    from reference_impl.procedures.review_types import ReviewInput, ReviewQuery

_TOTAL = "UPDATE orders SET total_cents = ? WHERE id = ?"


async def create_escaped(call: Call[PostInput, None]) -> Reply:
    """A14a: content is escaped for a page when it is stored; a draft with `<` is read with `&lt;`."""
    body = msgspec.structs.replace(call.body, content=html.escape(call.body.content))
    return await create_post(replace(call, body=body))


async def create_in_ascii(call: Call[ReviewInput, None]) -> Reply:
    """A14b: a comment is made ASCII on its way; one with an umlaut is read with a question mark."""
    comment = call.body.comment.encode("ascii", "replace").decode()
    return await create_review(replace(call, body=msgspec.structs.replace(call.body, comment=comment)))


async def create_by_float(call: Call[ProductInput, None]) -> Reply:
    """C4a: minor units are reckoned as a float and cut off; 19.99 is read as 19.98."""
    price = Price(int(float(call.body.price.decimal()) * 100))
    return await create_product(replace(call, body=msgspec.structs.replace(call.body, price=price)))


async def create_below_the_top(call: Call[ProductInput, None]) -> Reply:
    """C4c: the highest price is compared without the bound itself; the one that the document names is refused."""
    if not call.body.price.decimal() < LARGEST:
        raise invalid("price", f"it is less than {LARGEST}")
    return await create_product(call)


class ForeignProductInput(ProductInput):
    """A new product that may bring its seller."""

    seller_id: Id | UnsetType = UNSET


async def create_for_another(call: Call[ProductInput, None]) -> Reply:
    """C4b: take over whatever the body names; a product is made in another seller's name."""
    if isinstance(call.body, ForeignProductInput) and isinstance(call.body.seller_id, str):
        call = replace(call, caller=replace(call.identity, user_id=call.body.seller_id))
    return await create_product(call)


async def update_what_is_true(call: Call[ProductPatch, None]) -> Reply:
    """C5d: a member is changed `if member`; a stock of 0 and an empty description are accepted and not written."""
    body = call.body
    empty: dict[str, Any] = {name: UNSET for name in ("stock", "description") if not getattr(body, name)}
    return await update_product(replace(call, body=msgspec.structs.replace(body, **empty)))


async def create_with_float_total(call: Call[OrderInput, None]) -> Reply:
    """D3a: the total is a sum of floats, cut off; one piece at 19.99 costs 19.98."""
    order = await call.database.transaction(partial(_place_by_float, call.identity, call.body))
    return Reply(order, (call.location(f"/orders/{order.id}"),))


def _place_by_float(identity: Identity, body: OrderInput) -> Transaction[Order]:
    order = yield from place(identity, body)
    total = sum(float(item.price.decimal()) * item.quantity for item in order.items)
    order.total = Price(int(total * 100))
    yield Statement(_TOTAL, (order.total.cents, order.id))
    return order


def _members(reply: Reply) -> Any:
    return msgspec.json.decode(encode(reply.value))


async def create_with_null(call: Call[PostInput, None]) -> Reply:
    """G2a: what is not there is null; a draft has `publishedAt: null`, which the schema does not allow."""
    reply = await create_post(call)
    return Reply({**_members(reply), "publishedAt": None}, reply.headers)


async def get_with_text(call: Call[None, None]) -> Reply:
    """G2b: the driver's decimal is written as it comes; an order's total is a text."""
    members = _members(await get_order(call))
    return Reply({**members, "total": f"{members['total']:.2f}"})


async def list_in_local_form(call: Call[None, ReviewQuery]) -> Reply:
    """G2c: times are written as the database shows them; a review's has a space and no zone."""
    members = _members(await list_reviews(call))
    for item in members["items"]:
        item["createdAt"] = item["createdAt"].replace("T", " ").removesuffix("Z")
    return Reply(members)


_UNREADABLE = ("resource.create-not-readable",)

DEFECTS = (
    Defect(
        id="A14a",
        title="A post's content is stored escaped for HTML",
        codes=(*_UNREADABLE, "writes.text"),
        operations=("posts.create", "posts.get"),
        plant=changed("posts.create", handler=create_escaped),
    ),
    Defect(
        id="A14b",
        title="A review's comment loses what is not ASCII",
        codes=(*_UNREADABLE, "writes.text"),
        operations=("reviews.create", "reviews.get", "reviews.list"),
        plant=changed("reviews.create", handler=create_in_ascii),
    ),
    Defect(
        id="C4a",
        title="A new product's price passes through a float and loses a cent",
        codes=(*_UNREADABLE, "writes.number"),
        operations=("products.create", "products.get"),
        plant=changed("products.create", handler=create_by_float),
    ),
    Defect(
        id="C4c",
        title="A new product is refused the highest price that the document allows",
        codes=("writes.bound",),
        operations=("products.create",),
        plant=changed("products.create", handler=create_below_the_top),
    ),
    Defect(
        id="C4b",
        title="A new product takes its seller from the client",
        codes=("resource.mass-assignment", "schema.invalid-input-accepted"),
        operations=("products.create",),
        plant=changed("products.create", input=ForeignProductInput, handler=create_for_another),
    ),
    Defect(
        id="C5d",
        title="A product's stock cannot be set to zero, nor its description to nothing",
        codes=("resource.update-lost", "writes.number"),
        operations=("products.update",),
        plant=changed("products.update", handler=update_what_is_true),
    ),
    Defect(
        id="D3a",
        title="An order's total is a float that is cut off",
        codes=("ledger.amount",),
        operations=("orders.create",),
        plant=changed("orders.create", handler=create_with_float_total),
    ),
    Defect(
        id="G2a",
        title="A draft has publishedAt null, not absent",
        codes=("schema.body",),
        operations=("posts.create",),
        plant=changed("posts.create", handler=create_with_null),
    ),
    Defect(
        id="G2b",
        title="An order's total is a text",
        codes=("schema.body", "resource.create-not-readable", "ledger.amount"),
        operations=("orders.get",),
        plant=changed("orders.get", handler=get_with_text),
    ),
    Defect(
        id="G2c",
        title="The time of a listed review has a space and no zone",
        codes=("schema.body", "sort.order"),
        operations=("reviews.list",),
        plant=changed("reviews.list", handler=list_in_local_form),
    ),
)
