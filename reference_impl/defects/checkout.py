"""Defects of what an order may be made of, and of how many are placed at once: C7b, D3f, E5a."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from reference_impl.contract.procedure import Call, Reply
from reference_impl.data.database import Statement, Transaction
from reference_impl.defects.defect import Defect, changed
from reference_impl.procedures.order_types import Line  # noqa: TC001 - msgspec reads annotations
from reference_impl.procedures.orders import Draft, create_order, judge, summed, write

if TYPE_CHECKING:
    from reference_impl.application import Parts
    from reference_impl.identity.tokens import Identity
    from reference_impl.procedures.order_types import Order, OrderInput

_ASKED = "SELECT price_cents, discount_percent FROM products WHERE id = ?"
_AT_ONCE = 32
_PATIENCE_S = 0.2


def cut_off(cents: int, percent: int) -> int:
    """C7b: reckon a discount as a float and cut it off, where a product shows half a cent as one."""
    return int(cents * (1 - percent / 100))


async def create_cut_off(call: Call[OrderInput, None]) -> Reply:
    """C7b: an order of a product with a discount costs a cent less than its finalPrice tells."""
    order = await call.database.transaction(partial(_place, call.identity, call.body))
    return Reply(order, (call.location(f"/orders/{order.id}"),))


def _place(identity: Identity, body: OrderInput) -> Transaction[Order]:
    prices: dict[str, int] = {}
    for product_id, quantity in summed(body.items).items():
        yield from judge(product_id, quantity)
        rows = yield Statement(_ASKED, (product_id,))
        prices[product_id] = cut_off(rows[0][0], rows[0][1])
    total = sum(prices[line.product_id] * line.quantity for line in body.items)
    return (yield from write(identity, Draft(tuple(body.items), prices, total)))


class UnboundedOrder(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """D3f: an order of as many lines as a client sends; none at all is one too."""

    items: list[Line]


class Crowded:
    """E5a: a place is given back behind the order; each refusal keeps one, and when all are kept every order is 500."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def __call__(self, call: Call[OrderInput, None]) -> Reply:
        """Wait for a place and order."""
        async with asyncio.timeout(_PATIENCE_S):
            await self._places.acquire()
        reply = await create_order(call)
        self._places.release()
        return reply


def plant_crowd(parts: Parts) -> Parts:
    """E5a: use the handler with so many places."""
    return changed("orders.create", handler=Crowded())(parts)


_CREATE = ("orders.create",)

DEFECTS = (
    Defect(
        id="C7b",
        title="An order of a product with a discount costs less than the product tells",
        codes=("ledger.amount",),
        operations=_CREATE,
        plant=changed("orders.create", handler=create_cut_off),
    ),
    Defect(
        id="D3f",
        title="An order may have any number of lines, and none",
        codes=("schema.invalid-input-accepted", "schema.server-error"),
        operations=_CREATE,
        plant=changed("orders.create", input=UnboundedOrder),
    ),
    Defect(
        id="E5a",
        title="A refused order keeps its place in the queue: after thirty-two of them every order is a 500",
        codes=("schema.server-error", "objective.errors"),
        operations=_CREATE,
        plant=plant_crowd,
    ),
)
