"""Defects of orders: S30, S31."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_impl.contract.fields import Id, Quantity  # noqa: TC001 - msgspec reads annotations
from reference_impl.contract.procedure import Call, Reply
from reference_impl.defects.defect import Defect, changed, unchecked
from reference_impl.price import Price
from reference_impl.procedures.order_types import Line, Order, OrderInput
from reference_impl.procedures.orders import Draft, create_order, judge, summed, write

if TYPE_CHECKING:
    from reference_impl.data.database import Transaction
    from reference_impl.identity.tokens import Identity


class PricedLine(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A line that may bring its own price."""

    product_id: Id
    quantity: Quantity
    price: Price | UnsetType = UNSET


class PricedOrder(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """An order that may bring its own prices and total."""

    items: Annotated[list[PricedLine], Meta(min_length=1, max_length=50)]
    total: Price | UnsetType = UNSET


async def create_at_client_price(call: Call[PricedOrder, None]) -> Reply:
    """S30: take price and total from the client when sent."""
    order = await call.database.transaction(partial(_place_priced, call.identity, call.body))
    return _placed(call, order)


def _placed(call: Call[Any, Any], order: Order) -> Reply:
    return Reply(order, (call.location(f"/orders/{order.id}"),))


def _place_priced(identity: Identity, body: PricedOrder) -> Transaction[Order]:
    lines = tuple(Line(line.product_id, line.quantity) for line in body.items)
    prices: dict[str, int] = {}
    for product_id, quantity in summed(list(lines)).items():
        prices[product_id] = yield from judge(product_id, quantity)
    for line in body.items:
        if isinstance(line.price, Price):
            prices[line.product_id] = line.price.cents
    total = sum(prices[line.product_id] * line.quantity for line in lines)
    if isinstance(body.total, Price):
        total = body.total.cents
    return (yield from write(identity, Draft(lines, prices, total)))


class NegativeLine(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A line whose quantity may be below zero."""

    product_id: Id
    quantity: Annotated[int, Meta(ge=-1000, le=1000)]


class NegativeOrder(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """S31a: an order of less than nothing."""

    items: Annotated[list[NegativeLine], Meta(min_length=1, max_length=50)]


class ZeroLine(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A line whose quantity may be zero."""

    product_id: Id
    quantity: Annotated[int, Meta(ge=0, le=1000)]


class ZeroOrder(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """S31b: an order of nothing."""

    items: Annotated[list[ZeroLine], Meta(min_length=1, max_length=50)]


class FractionLine(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A line whose quantity may be a fraction."""

    product_id: Id
    quantity: Annotated[float, Meta(ge=1, le=1000)]


class FractionOrder(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """S31c: an order of one and a half."""

    items: Annotated[list[FractionLine], Meta(min_length=1, max_length=50)]


async def create_fraction(call: Call[FractionOrder, None]) -> Reply:
    """S31c: draw fractions; whole numbers stay whole, as numbers of JavaScript do."""
    order = await call.database.transaction(partial(_place_fraction, call.identity, call.body))
    return _placed(call, order)


def _place_fraction(identity: Identity, body: FractionOrder) -> Transaction[Order]:
    items = [Line(line.product_id, line.quantity) for line in body.items]  # type: ignore[arg-type] # the defect
    for line in items:
        if line.quantity == int(line.quantity):
            line.quantity = int(line.quantity)
    prices: dict[str, int] = {}
    for product_id, quantity in summed(items).items():
        prices[product_id] = yield from judge(product_id, quantity)
    total = round(sum(prices[line.product_id] * line.quantity for line in items))
    return (yield from write(identity, Draft(tuple(items), prices, total)))


async def create_judging_lines(call: Call[OrderInput, None]) -> Reply:
    """S31d: judge each line alone, so one product on two lines passes twice."""
    order = await call.database.transaction(partial(_place_by_line, call.identity, call.body))
    return _placed(call, order)


def _place_by_line(identity: Identity, body: OrderInput) -> Transaction[Order]:
    prices: dict[str, int] = {}
    for line in body.items:
        prices[line.product_id] = yield from judge(line.product_id, line.quantity)
    total = sum(prices[line.product_id] * line.quantity for line in body.items)
    return (yield from write(identity, Draft(tuple(body.items), prices, total)))


_UNCHECKED = ("schema.invalid-input-accepted", "ledger.not-conserved", "schema.body")
_CREATE = ("orders.create",)

DEFECTS = (
    Defect(
        id="S30",
        title="An order takes price and total from the client",
        codes=(
            "ledger.amount",
            "resource.mass-assignment",
            "schema.invalid-input-accepted",
        ),
        operations=_CREATE,
        plant=changed("orders.create", input=PricedOrder, handler=create_at_client_price),
    ),
    Defect(
        id="S31a",
        title="An order of a negative quantity raises the stock",
        codes=(*_UNCHECKED, "ledger.overdrawn", "ledger.amount"),
        operations=_CREATE,
        plant=unchecked(changed("orders.create", input=NegativeOrder, handler=create_order)),
    ),
    Defect(
        id="S31b",
        title="An order of quantity zero is placed",
        codes=_UNCHECKED,
        operations=_CREATE,
        plant=unchecked(changed("orders.create", input=ZeroOrder, handler=create_order)),
    ),
    Defect(
        id="S31c",
        title="An order of a fraction breaks the stock",
        codes=(*_UNCHECKED, "ledger.amount"),
        operations=_CREATE,
        plant=unchecked(changed("orders.create", input=FractionOrder, handler=create_fraction)),
    ),
    Defect(
        id="S31d",
        title="One product on two lines passes the stock check twice",
        codes=("ledger.overdrawn", "ledger.not-conserved", "ledger.partial"),
        operations=_CREATE,
        plant=unchecked(changed("orders.create", handler=create_judging_lines)),
    ),
)
