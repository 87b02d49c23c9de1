"""Defects of calls that are sent again: I01 to I06."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import Call, Reply
from reference_impl.defects.defect import Defect, changed
from reference_impl.edge.answers import encode
from reference_impl.errors import ApiError, unavailable
from reference_impl.procedures.idempotency import Once, once, perform
from reference_impl.procedures.orders import CREATED, place, summed

if TYPE_CHECKING:
    from reference_impl.data.database import Transaction
    from reference_impl.procedures.order_types import OrderInput

# About a round trip to a database that is near.
_ROUND_TRIP_S = 0.005
_ELDEST = "SELECT id FROM users ORDER BY id LIMIT 1"
_LOOK = "SELECT body_hash, body FROM idempotency_keys WHERE user_id = ? AND operation = ? AND key = ?"
_DRAW = "UPDATE products SET stock = stock - ? WHERE id = ? AND stock >= ?"
_KEEP = (
    "INSERT INTO idempotency_keys (user_id, operation, key, body_hash, status, body, headers, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?, '[]', ?) ON CONFLICT (user_id, operation, key) DO NOTHING"
)


def _work(call: Call[OrderInput, None]) -> Transaction[Reply]:
    order = yield from place(call.identity, call.body)
    return Reply(order, (call.location(f"/orders/{order.id}"),))


async def _create(call: Call[OrderInput, None], wanted: Once | None) -> Reply:
    return await call.database.transaction(partial(perform, wanted, CREATED, partial(_work, call)), locking=True)


async def create_by_anyones_key(call: Call[OrderInput, None]) -> Reply:
    """I01: a key is the same whoever sends it."""
    wanted = once(call, "orders.create")
    row = await call.database.query_one(_ELDEST)
    return await _create(call, replace(wanted, user_id=row[0]) if wanted and row else None)


async def create_for_any_body(call: Call[OrderInput, None]) -> Reply:
    """I03: whatever the body is, a used key is answered as the first time."""
    wanted = once(call, "orders.create")
    return await _create(call, replace(wanted, body_hash="") if wanted else None)


async def create_after_a_look(call: Call[OrderInput, None]) -> Reply:
    """I02: look for the key, do the work, keep the key: three steps."""
    wanted = once(call, "orders.create")
    if wanted is None:
        return await _create(call, None)
    row = await call.database.query_one(_LOOK, *wanted.identity)
    if row is not None and row[0] != wanted.body_hash:
        raise ApiError("CONFLICT", "This Idempotency-Key came with another body before: use a new one.")
    if row is not None:
        return Reply(msgspec.Raw(row[1].encode()), _again(call, row[1]))
    await asyncio.sleep(_ROUND_TRIP_S)
    reply = await _create(call, None)
    text = encode(reply.value).decode()
    await call.database.run(_KEEP, *wanted.identity, wanted.body_hash, CREATED, text, rfc3339(time.time()))
    return reply


async def create_claiming_first(call: Call[OrderInput, None]) -> Reply:
    """I04: the key is claimed in a transaction of its own, and stays claimed when the work is refused."""
    wanted = once(call, "orders.create")
    if wanted is None:
        return await _create(call, None)
    row = await call.database.query_one(_LOOK, *wanted.identity)
    if row is not None and (row[0] != wanted.body_hash or not row[1]):
        raise ApiError("CONFLICT", "This Idempotency-Key was used before: use a new one.")
    if row is not None:
        return Reply(msgspec.Raw(row[1].encode()), _again(call, row[1]))
    try:
        return await _create(call, wanted)
    except ApiError:
        await call.database.run(_KEEP, *wanted.identity, wanted.body_hash, 0, "", rfc3339(time.time()))
        raise


async def create_drawing_again(call: Call[OrderInput, None]) -> Reply:
    """I05: the stock is drawn once more for an order that is answered again."""
    reply = await _create(call, once(call, "orders.create"))
    if any(name == b"idempotency-replayed" for name, _ in reply.headers):
        for product_id, quantity in summed(call.body.items).items():
            await call.database.run(_DRAW, quantity, product_id, quantity)
    return reply


async def create_never_with_a_key(call: Call[OrderInput, None]) -> Reply:
    """I06: who claims a key is told that another has it, whose work never ends."""
    wanted = once(call, "orders.create")
    if wanted is not None:
        raise unavailable("Others change the same: try again.")
    return await _create(call, None)


def _again(call: Call[OrderInput, None], body: str) -> tuple[tuple[bytes, bytes], ...]:
    """The headers of an answer given again."""
    return (call.location(f"/orders/{msgspec.json.decode(body)['id']}"), (b"idempotency-replayed", b"true"))


_CREATE = ("orders.create",)

DEFECTS = (
    Defect(
        id="I01",
        title="An Idempotency-Key is the same whoever sends it",
        codes=("idempotency.shared-key",),
        operations=_CREATE,
        plant=changed("orders.create", handler=create_by_anyones_key),
    ),
    Defect(
        id="I02",
        title="The Idempotency-Key is kept after the work: calls at one instant all have their effect",
        codes=("idempotency.many-effects",),
        operations=_CREATE,
        plant=changed("orders.create", handler=create_after_a_look),
    ),
    Defect(
        id="I03",
        title="A used Idempotency-Key gives the old answer to another body",
        codes=("idempotency.other-body",),
        operations=_CREATE,
        plant=changed("orders.create", handler=create_for_any_body),
    ),
    Defect(
        id="I04",
        title="A refused order keeps its Idempotency-Key",
        codes=("idempotency.refusal",),
        operations=_CREATE,
        plant=changed("orders.create", handler=create_claiming_first),
    ),
    Defect(
        id="I05",
        title="An order that is answered again draws the stock once more",
        codes=("idempotency.many-effects",),
        operations=_CREATE,
        plant=changed("orders.create", handler=create_drawing_again),
    ),
    Defect(
        id="I06",
        title="An order with an Idempotency-Key is told to come again, for ever",
        codes=("http.never-served",),
        operations=_CREATE,
        plant=changed("orders.create", handler=create_never_with_a_key),
    ),
)
