"""Defects of what an order draws, keeps and gives back: S29, D3b, D3c, D3d, D3e."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import Call, Reply
from reference_impl.data.database import Statement, Transaction
from reference_impl.defects.defect import Defect, changed
from reference_impl.errors import ApiError
from reference_impl.procedures.orders import Draft, cancel_order, give_back, judge, place, read, summed, visible, write

if TYPE_CHECKING:
    from reference_impl.application import Parts
    from reference_impl.identity.tokens import Identity
    from reference_impl.procedures.order_types import Order, OrderInput

# About a round trip to a database that is near.
_ROUND_TRIP_S = 0.005
_ASTRAY = (
    "UPDATE order_items SET order_id = '0', position = position + "
    "(SELECT coalesce(MAX(position), -1) + 1 FROM order_items WHERE order_id = '0') WHERE order_id = ?"
)
_STOCK = "SELECT stock FROM products WHERE id = ? AND deleted_at IS NULL"
_SET = "UPDATE products SET stock = ? WHERE id = ?"
_MORE = "UPDATE products SET stock = stock + ? WHERE id = ?"
_ITEMS = "SELECT product_id, quantity FROM order_items WHERE order_id = ? ORDER BY position"
_ONE = "SELECT id, user_id, status FROM orders WHERE id = ?"
_TURN = "UPDATE orders SET status = 'cancelled', cancelled_at = ? WHERE id = ?"


def _answer(call: Call[OrderInput, None], order: Order) -> Reply:
    return Reply(order, (call.location(f"/orders/{order.id}"),))


async def create_with_placeholder(call: Call[OrderInput, None]) -> Reply:
    """S29: the order's id is read before the batch is sent, so its items hang on order 0; a read shows none."""
    order = await call.database.transaction(partial(_place_astray, call.identity, call.body))
    return _answer(call, order)


def _place_astray(identity: Identity, body: OrderInput) -> Transaction[Order]:
    order = yield from place(identity, body)
    yield Statement(_ASTRAY, (order.id,))
    return order


def plant_placeholder(parts: Parts) -> Parts:
    """S29: use the handler, on a database that asks for no order 0."""
    planted = changed("orders.create", handler=create_with_placeholder)(parts)
    return replace(planted, pragmas=("foreign_keys=OFF",))


async def create_after_reading(call: Call[OrderInput, None]) -> Reply:
    """D3b: read the stock, reckon, and write what is left; of orders at one instant all but one draw nothing."""
    left = {}
    for product_id, quantity in summed(call.body.items).items():
        row = await call.database.query_one(_STOCK, product_id)
        if row is not None:
            left[product_id] = row[0] - quantity
    await asyncio.sleep(_ROUND_TRIP_S)
    order = await call.database.transaction(partial(_place_over, call.identity, call.body, left))
    return _answer(call, order)


def _place_over(identity: Identity, body: OrderInput, left: dict[str, int]) -> Transaction[Order]:
    for product_id, stock in left.items():
        if stock < 0:
            raise ApiError("INSUFFICIENT_STOCK", f"Product {product_id} has too little left.")
        yield Statement(_MORE, (stock + 1_000_000, product_id))
    order = yield from place(identity, body)
    for product_id, stock in left.items():
        yield Statement(_SET, (stock, product_id))
    return order


async def cancel_again(call: Call[None, None]) -> Reply:
    """D3c: nobody asks whether an order is cancelled already; a second cancel gives the stock back once more."""
    order = await call.database.transaction(partial(_give_again, call.identity, call.path["id"]))
    return Reply(order)


def _give_again(identity: Identity, order_id: str) -> Transaction[Order]:
    row = visible(identity, (yield Statement(_ONE, (order_id,))))
    if row[2] == "placed":
        return (yield from give_back(identity, order_id))
    for product_id, quantity in (yield Statement(_ITEMS, (order_id,))):
        yield Statement(_MORE, (quantity, product_id))
    yield Statement(_TURN, (rfc3339(time.time()), order_id))
    return (yield from read(identity, order_id))


async def cancel_first_line(call: Call[None, None]) -> Reply:
    """D3d: the items are fetched as one row; a cancelled order of two products gives back the first alone."""
    items = await call.database.query(_ITEMS, call.path["id"])
    reply = await cancel_order(call)
    for product_id, quantity in items[1:]:
        await call.database.run(_MORE, -quantity, product_id)
    return reply


async def create_line_by_line(call: Call[OrderInput, None]) -> Reply:
    """D3e: each line is a transaction of its own; an order refused for its last line has drawn the others."""
    prices: dict[str, int] = {}
    drawn: dict[str, int] = {}
    for product_id, quantity in summed(call.body.items).items():
        prices[product_id] = await call.database.transaction(partial(_draw, product_id, quantity))
        drawn[product_id] = quantity
    total = sum(prices[line.product_id] * line.quantity for line in call.body.items)
    draft = Draft(tuple(call.body.items), prices, total)
    order = await call.database.transaction(partial(_write_drawn, call.identity, draft, drawn))
    return _answer(call, order)


def _draw(product_id: str, quantity: int) -> Transaction[int]:
    price = yield from judge(product_id, quantity)
    yield Statement(_MORE, (-quantity, product_id))
    return price


def _write_drawn(identity: Identity, draft: Draft, drawn: dict[str, int]) -> Transaction[Order]:
    for product_id, quantity in drawn.items():  # `write` draws too
        yield Statement(_MORE, (quantity, product_id))
    return (yield from write(identity, draft))


_CREATE = ("orders.create",)
_CANCEL = ("orders.cancel", "orders.create")

DEFECTS = (
    Defect(
        id="S29",
        title="The items of an order hang on order 0",
        codes=("resource.create-not-readable", "ledger.not-conserved", "ledger.amount"),
        operations=("orders.create", "orders.get", "orders.list", "orders.cancel"),
        plant=plant_placeholder,
    ),
    Defect(
        id="D3b",
        title="Stock is read, reckoned and written: orders at one instant draw it once",
        codes=("ledger.not-conserved", "ledger.overdrawn"),
        operations=_CREATE,
        plant=changed("orders.create", handler=create_after_reading),
    ),
    Defect(
        id="D3c",
        title="An order that is cancelled twice gives its stock back twice",
        codes=("ledger.not-conserved",),
        operations=_CANCEL,
        plant=changed("orders.cancel", handler=cancel_again),
    ),
    Defect(
        id="D3d",
        title="A cancelled order of several products gives back the first alone",
        codes=("ledger.not-conserved",),
        operations=_CANCEL,
        plant=changed("orders.cancel", handler=cancel_first_line),
    ),
    Defect(
        id="D3e",
        title="An order that is refused for one line has drawn the lines before it",
        codes=("ledger.partial", "ledger.not-conserved", "writes.refused-effect"),
        operations=_CREATE,
        plant=changed("orders.create", handler=create_line_by_line),
    ),
)
