"""Orders: stock is drawn and given back in the transaction that writes the order."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import uuid_utils

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import SIGNED_IN, Call, Procedure, Reply
from reference_impl.data.database import Row, Statement, Transaction
from reference_impl.errors import ApiError, not_found
from reference_impl.price import Price
from reference_impl.procedures.categories import pages_of
from reference_impl.procedures.order_types import (
    Line,
    Order,
    OrderInput,
    OrderItem,
    OrderPage,
    OrderQuery,
    order_of,
)
from reference_impl.procedures.records import audit, emit

if TYPE_CHECKING:
    from reference_impl.identity.tokens import Identity

_PRODUCT = "SELECT price_cents, stock FROM products WHERE id = ? AND deleted_at IS NULL"
DRAW = "UPDATE products SET stock = stock - ?, version = version + 1, updated_at = ? WHERE id = ?"
# A deleted product gets its stock back too; nobody sees it.
_RESTORE = "UPDATE products SET stock = stock + ?, version = version + 1, updated_at = ? WHERE id = ?"
_INSERT = "INSERT INTO orders (id, user_id, status, total_cents, created_at) VALUES (?, ?, 'placed', ?, ?)"
_ITEM = "INSERT INTO order_items (order_id, position, product_id, quantity, price_cents) VALUES (?, ?, ?, ?, ?)"
_ITEMS = "SELECT product_id, quantity, price_cents FROM order_items WHERE order_id = ? ORDER BY position"
_GET = "SELECT id, user_id, status, total_cents, created_at, cancelled_at FROM orders WHERE id = ?"
_WHOLE = (
    "SELECT o.id, o.user_id, o.status, o.total_cents, o.created_at, o.cancelled_at, "
    "(SELECT json_group_array(json_array(product_id, quantity, price_cents)) FROM (SELECT product_id, quantity, "
    "price_cents FROM order_items i WHERE i.order_id = o.id ORDER BY position)), COUNT(*) OVER () FROM orders o "
)
_ONE = f"{_WHOLE} WHERE o.id = ?"
_PAGE = f"{_WHOLE} WHERE o.user_id = ? ORDER BY o.created_at DESC, o.id DESC LIMIT ? OFFSET ?"
_COUNT = "SELECT COUNT(*) FROM orders WHERE user_id = ?"
_CANCEL = (
    "UPDATE orders SET status = 'cancelled', cancelled_at = ? WHERE id = ? AND status = 'placed' "
    "RETURNING id, user_id, status, total_cents, created_at, cancelled_at"
)
_items = msgspec.json.Decoder(list[tuple[str, int, int]])


@dataclass(frozen=True, slots=True)
class Draft:
    """A new order's lines with the prices it is written at, all in minor units."""

    lines: tuple[Line, ...]
    prices: dict[str, int]
    total_cents: int


async def create_order(call: Call[OrderInput, None]) -> Reply:
    """Place an order: all of it or nothing."""
    order = await call.database.transaction(partial(place, call.identity, call.body))
    return Reply(order, ((b"location", f"{call.base}/api/v1/orders/{order.id}".encode()),))


def place(identity: Identity, body: OrderInput) -> Transaction[Order]:
    """Judge each product's summed quantity, then draw and write."""
    prices: dict[str, int] = {}
    for product_id, quantity in summed(body.items).items():
        prices[product_id] = yield from judge(product_id, quantity)
    total = sum(prices[line.product_id] * line.quantity for line in body.items)
    return (yield from write(identity, Draft(tuple(body.items), prices, total)))


def summed(lines: list[Line]) -> dict[str, int]:
    """Return the quantity asked of each product; one product on two lines is asked for the sum."""
    wanted: dict[str, int] = {}
    for line in lines:
        wanted[line.product_id] = wanted.get(line.product_id, 0) + line.quantity
    return wanted


def judge(product_id: str, quantity: int) -> Transaction[int]:
    """Return the product's price; INVALID_REFERENCE when it is gone, INSUFFICIENT_STOCK when it has too little."""
    rows = yield Statement(_PRODUCT, (product_id,))
    if not rows:
        raise ApiError("INVALID_REFERENCE", "productId names no product.")
    price, stock = rows[0]
    if stock < quantity:
        raise ApiError("INSUFFICIENT_STOCK", f"Product {product_id} has less than {quantity} left.")
    return int(price)


def write(identity: Identity, draft: Draft) -> Transaction[Order]:
    """Draw the stock and write order, items, audit row and event row."""
    now = rfc3339(time.time())
    order_id = str(uuid_utils.uuid7())
    yield Statement(_INSERT, (order_id, identity.user_id, draft.total_cents, now))
    for position, line in enumerate(draft.lines):
        price = draft.prices[line.product_id]
        yield Statement(_ITEM, (order_id, position, line.product_id, line.quantity, price))
    for product_id, quantity in summed(list(draft.lines)).items():
        yield Statement(DRAW, (quantity, now, product_id))
    yield from audit(identity.user_id, "orders.create", order_id, totalCents=draft.total_cents)
    yield from emit("orders", "created", id=order_id)
    items = [OrderItem(line.product_id, line.quantity, Price(draft.prices[line.product_id])) for line in draft.lines]
    return order_of((order_id, identity.user_id, "placed", draft.total_cents, now, None), items)


async def list_orders(call: Call[None, OrderQuery]) -> Reply:
    """Return one page of the caller's own orders."""
    query = call.query
    user_id = call.identity.user_id
    rows = await call.database.query(_PAGE, user_id, query.limit, (query.page - 1) * query.limit)
    total = rows[0][7] if rows else 0
    if not rows and query.page > 1:
        total = (await call.database.query(_COUNT, user_id))[0][0]
    orders = [order_of(row, items_of(_items.decode(row[6]))) for row in rows]
    return Reply(OrderPage(orders, total, query.page, pages_of(total, query.limit)))


def items_of(rows: list[tuple[str, int, int]]) -> list[OrderItem]:
    """Return rows (product, quantity, price in minor units) as items."""
    return [OrderItem(product_id, quantity, Price(cents)) for product_id, quantity, cents in rows]


async def get_order(call: Call[None, None]) -> Reply:
    """Return an order of the caller's, or any to an admin; another's is not there."""
    row = await call.database.query_one(_ONE, call.path["id"])
    visible(call.identity, [row] if row else [])
    assert row is not None, "visible refuses it"
    return Reply(order_of(row, items_of(_items.decode(row[6]))))


def visible(identity: Identity, rows: list[Row]) -> Row:
    """Return the one row; NOT_FOUND when there is none for this caller."""
    if not rows or (not identity.admin and rows[0][1] != identity.user_id):
        raise not_found("order")
    return rows[0]


async def cancel_order(call: Call[None, None]) -> Reply:
    """Cancel a placed order and give its stock back, once."""
    return Reply(await call.database.transaction(partial(give_back, call.identity, call.path["id"])))


def give_back(identity: Identity, order_id: str) -> Transaction[Order]:
    """Turn the status and restore the stock; CONFLICT when it was cancelled before."""
    visible(identity, (yield Statement(_GET, (order_id,))))
    now = rfc3339(time.time())
    rows = yield Statement(_CANCEL, (now, order_id))
    if not rows:
        raise ApiError("CONFLICT", "The order is cancelled already.")
    items = yield Statement(_ITEMS, (order_id,))
    for product_id, quantity, _ in items:
        yield Statement(_RESTORE, (quantity, now, product_id))
    yield from audit(identity.user_id, "orders.cancel", order_id)
    yield from emit("orders", "cancelled", id=order_id)
    return order_of(rows[0], items_of([(item[0], item[1], item[2]) for item in items]))


_OWNER = {"owner": {"resource": "order", "roles": ["admin"], "stranger": 404}}
_LEDGER = {
    "resource": "product",
    "quantity": "/stock",
    "draw": "/items/*/quantity",
    "key": "/items/*/productId",
    "refused": [409],
    "restore": "orders.cancel",
    "total": "/total",
    "unit": "/price",
}

PROCEDURES = (
    Procedure(
        id="orders.list",
        method="GET",
        path="/orders",
        summary="A page of the caller's orders",
        handler=list_orders,
        access=SIGNED_IN,
        limit="list",
        query=OrderQuery,
        output=OrderPage,
    ),
    Procedure(
        id="orders.create",
        method="POST",
        path="/orders",
        summary="Place an order",
        handler=create_order,
        access=SIGNED_IN,
        limit="create",
        input=OrderInput,
        output=Order,
        status=201,
        errors=("INVALID_REFERENCE", "INSUFFICIENT_STOCK"),
        response_headers=("Location",),
        links=("orders.get", "orders.cancel"),
        promises={"ledger": _LEDGER},
    ),
    Procedure(
        id="orders.get",
        method="GET",
        path="/orders/{id}",
        summary="One order",
        handler=get_order,
        access=SIGNED_IN,
        limit="get",
        output=Order,
        promises=_OWNER,
    ),
    Procedure(
        id="orders.cancel",
        method="POST",
        path="/orders/{id}/cancel",
        summary="Cancel an order",
        handler=cancel_order,
        access=SIGNED_IN,
        limit="update",
        output=Order,
        errors=("CONFLICT",),
        promises=_OWNER,
    ),
)
