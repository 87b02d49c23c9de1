"""Orders: stock is drawn and given back in the transaction that writes the order."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import uuid_utils

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import SIGNED_IN, Call, Procedure, Reply
from reference_impl.data.database import Row, Statement, Transaction, marks
from reference_impl.errors import ApiError, not_found
from reference_impl.price import Price, discounted
from reference_impl.procedures.idempotency import PROMISE, REQUEST_HEADER, RESPONSE_HEADER, once, perform
from reference_impl.procedures.order_types import (
    Line,
    Order,
    OrderInput,
    OrderItem,
    OrderPage,
    OrderQuery,
    order_of,
)
from reference_impl.procedures.paging import NEWEST_FIRST, NUMBERED, pages_of
from reference_impl.procedures.records import Event, audit, changed, emit_all

if TYPE_CHECKING:
    from reference_impl.identity.tokens import Identity

_PRODUCT = "SELECT price_cents, discount_percent, stock FROM products WHERE id = ? AND deleted_at IS NULL"
DRAW = (
    "UPDATE products SET stock = stock - ?, version = version + 1, updated_at = ? WHERE id = ? "
    "RETURNING version, category_id"
)
# A deleted product gets its stock back too; nobody sees it.
_RESTORE = (
    "UPDATE products SET stock = stock + ?, version = version + 1, updated_at = ? WHERE id = ? "
    "RETURNING version, category_id, deleted_at"
)
_INSERT = "INSERT INTO orders (id, user_id, status, total_cents, created_at) VALUES (?, ?, 'placed', ?, ?)"
_ITEM = "INSERT INTO order_items (order_id, position, product_id, quantity, price_cents) VALUES (?, ?, ?, ?, ?)"
_ITEMS = "SELECT product_id, quantity, price_cents FROM order_items WHERE order_id = ? ORDER BY position"
_GET = "SELECT id, user_id, status, total_cents, created_at, cancelled_at FROM orders WHERE id = ?"
_PAGE = (
    "SELECT id, user_id, status, total_cents, created_at, cancelled_at FROM orders WHERE user_id = ? "
    "ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"
)
_PAGE_ITEMS = (
    "SELECT order_id, product_id, quantity, price_cents FROM order_items WHERE order_id IN ({}) "
    "ORDER BY order_id, position"
)
_COUNT = "SELECT COUNT(*) FROM orders WHERE user_id = ?"
_CANCEL = (
    "UPDATE orders SET status = 'cancelled', cancelled_at = ? WHERE id = ? AND status = 'placed' "
    "RETURNING id, user_id, status, total_cents, created_at, cancelled_at"
)
CREATED = 201


@dataclass(frozen=True, slots=True)
class Draft:
    """A new order's lines with the prices it is written at, all in minor units."""

    lines: tuple[Line, ...]
    prices: dict[str, int]
    total_cents: int


async def create_order(call: Call[OrderInput, None]) -> Reply:
    """Place an order: all of it or nothing."""
    work = partial(_placed, call)
    wanted = once(call, "orders.create")
    return await call.database.transaction(partial(perform, wanted, CREATED, work), locking=True)


def _placed(call: Call[OrderInput, None]) -> Transaction[Reply]:
    order = yield from place(call.identity, call.body)
    return Reply(order, (call.location(f"/orders/{order.id}"),))


def place(identity: Identity, body: OrderInput) -> Transaction[Order]:
    """Judge each product's summed quantity, then draw and write."""
    prices: dict[str, int] = {}
    for product_id, quantity in summed(body.items).items():
        prices[product_id] = yield from judge(product_id, quantity)
    total = sum(prices[line.product_id] * line.quantity for line in body.items)
    return (yield from write(identity, Draft(tuple(body.items), prices, total)))


def summed(lines: list[Line]) -> dict[str, int]:
    """Return the quantity asked of each product, in order of ids; one product on two lines is asked for the sum."""
    wanted: dict[str, int] = {}
    for line in lines:
        wanted[line.product_id] = wanted.get(line.product_id, 0) + line.quantity
    return dict(sorted(wanted.items()))


def judge(product_id: str, quantity: int) -> Transaction[int]:
    """Return the price asked; INVALID_REFERENCE when it is gone, INSUFFICIENT_STOCK when it has too little."""
    rows = yield Statement(_PRODUCT, (product_id,), lock=True)
    if not rows:
        raise ApiError("INVALID_REFERENCE", "productId names no product.")
    price_cents, discount, stock = rows[0]
    if stock < quantity:
        raise ApiError("INSUFFICIENT_STOCK", f"Product {product_id} has less than {quantity} left.")
    return discounted(price_cents, discount)


def write(identity: Identity, draft: Draft) -> Transaction[Order]:
    """Draw the stock and write order, items, audit row and event rows: of the order and of each product it changed."""
    now = rfc3339(time.time())
    order_id = str(uuid_utils.uuid7())
    yield Statement(_INSERT, (order_id, identity.user_id, draft.total_cents, now))
    for position, line in enumerate(draft.lines):
        price = draft.prices[line.product_id]
        yield Statement(_ITEM, (order_id, position, line.product_id, line.quantity, price))
    happened: list[Event] = [("orders", "created", {"id": order_id, "userId": identity.user_id})]
    for product_id, quantity in summed(list(draft.lines)).items():
        rows = yield Statement(DRAW, (quantity, now, product_id))
        happened.append(changed(product_id, rows[0][0], rows[0][1]))
    yield from audit(identity.user_id, "orders.create", order_id, totalCents=draft.total_cents)
    yield from emit_all(happened)
    items = [OrderItem(line.product_id, line.quantity, Price(draft.prices[line.product_id])) for line in draft.lines]
    return order_of((order_id, identity.user_id, "placed", draft.total_cents, now, None), items)


async def list_orders(call: Call[None, OrderQuery]) -> Reply:
    """Return one page of the caller's own orders."""
    query = call.query
    user_id = call.identity.user_id
    orders, total = await call.database.read(partial(_page, user_id, query))
    return Reply(OrderPage(orders, total, query.page, pages_of(total, query.limit)))


def _page(user_id: str, query: OrderQuery) -> Transaction[tuple[list[Order], int]]:
    rows = yield Statement(_PAGE, (user_id, query.limit, (query.page - 1) * query.limit))
    count = yield Statement(_COUNT, (user_id,))
    items: dict[str, list[Row]] = {row[0]: [] for row in rows}
    if items:
        for item in (yield Statement(_PAGE_ITEMS.format(marks(len(items))), tuple(items))):
            items[item[0]].append(item[1:])
    return [order_of(row, items_of(items[row[0]])) for row in rows], count[0][0]


def items_of(rows: list[Row]) -> list[OrderItem]:
    """Return rows (product, quantity, price in minor units) as items."""
    return [OrderItem(product_id, quantity, Price(cents)) for product_id, quantity, cents in rows]


async def get_order(call: Call[None, None]) -> Reply:
    """Return an order of the caller's, or any to an admin; another's is not there."""
    return Reply(await call.database.read(partial(read, call.identity, call.path["id"]), small=True))


def read(identity: Identity, order_id: str) -> Transaction[Order]:
    """Return an order with its items; NOT_FOUND when there is none for this caller."""
    row = visible(identity, (yield Statement(_GET, (order_id,))))
    return order_of(row, items_of((yield Statement(_ITEMS, (order_id,)))))


def visible(identity: Identity, rows: list[Row]) -> Row:
    """Return the one row; NOT_FOUND when there is none for this caller."""
    if not rows or (not identity.admin and rows[0][1] != identity.user_id):
        raise not_found("order")
    return rows[0]


async def cancel_order(call: Call[None, None]) -> Reply:
    """Cancel a placed order and give its stock back, once."""
    order = await call.database.transaction(partial(give_back, call.identity, call.path["id"]), locking=True)
    return Reply(order)


def give_back(identity: Identity, order_id: str) -> Transaction[Order]:
    """Turn the status and restore the stock; CONFLICT when it was cancelled before."""
    visible(identity, (yield Statement(_GET, (order_id,), lock=True)))
    now = rfc3339(time.time())
    rows = yield Statement(_CANCEL, (now, order_id))
    if not rows:
        raise ApiError("CONFLICT", "The order is cancelled already.")
    items = yield Statement(_ITEMS, (order_id,))
    happened: list[Event] = [("orders", "cancelled", {"id": order_id, "userId": rows[0][1]})]
    for product_id, quantity in summed([Line(item[0], item[1]) for item in items]).items():
        restored = yield Statement(_RESTORE, (quantity, now, product_id))
        version, category_id, deleted_at = restored[0]
        if deleted_at is None:
            happened.append(changed(product_id, version, category_id))
    yield from audit(identity.user_id, "orders.cancel", order_id)
    yield from emit_all(happened)
    return order_of(rows[0], items_of(items))


_OWNER = {"owner": {"resource": "order", "roles": ["admin"], "stranger": 404}}
# Kept nowhere: each caller is shown what is so, and only what is theirs.
_OWN = {
    "age_s": 0,
    "private": True,
    "invalidated_by": [{"operation": "orders.create"}, {"operation": "orders.cancel"}],
}
_LEDGER = {
    "resource": "product",
    "quantity": "/stock",
    "draw": "/items/*/quantity",
    "key": "/items/*/productId",
    "refused": [409],
    "restore": "orders.cancel",
    "total": "/total",
    "unit": "/finalPrice",
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
        promises={"page": NUMBERED, "sort": NEWEST_FIRST, "cache": _OWN},
    ),
    Procedure(
        id="orders.create",
        method="POST",
        path="/orders",
        summary="Place an order",
        description="All lines or none, in one transaction. With `Idempotency-Key` it may be sent again.",
        handler=create_order,
        changes=("products",),
        access=SIGNED_IN,
        limit="create",
        input=OrderInput,
        output=Order,
        status=CREATED,
        errors=("INVALID_REFERENCE", "INSUFFICIENT_STOCK", "CONFLICT"),
        request_headers=REQUEST_HEADER,
        response_headers=("Location", RESPONSE_HEADER),
        links=("orders.get", "orders.cancel"),
        promises={"ledger": _LEDGER, "idempotency": PROMISE},
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
        description="The stock is given back, once.",
        handler=cancel_order,
        changes=("products",),
        access=SIGNED_IN,
        limit="update",
        output=Order,
        shows={"status": "cancelled", "cancelledAt": "2026-01-31T12:05:00.000Z"},
        errors=("CONFLICT",),
        promises=_OWNER,
    ),
)
