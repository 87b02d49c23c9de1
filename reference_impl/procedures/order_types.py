"""What orders look like on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_impl.contract.fields import Count, Id, Limit, PageNumber, Quantity, Time  # noqa: TC001 - msgspec reads annotations
from reference_impl.price import Price

if TYPE_CHECKING:
    from reference_impl.data.database import Row


class Line(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """How much of which product."""

    product_id: Id
    quantity: Quantity


class OrderInput(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A new order; prices come from the catalogue."""

    items: Annotated[list[Line], Meta(min_length=1, max_length=50)]


class OrderItem(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One line of an order, with the price it was ordered at."""

    product_id: Id
    quantity: Quantity
    price: Price


class Order(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """An order; `total` is the sum of price by quantity, exactly."""

    id: Id
    user_id: Id
    status: Literal["placed", "cancelled"]
    total: Annotated[Price, Meta(extra_json_schema={"maximum": 50_000_000_000})]
    items: list[OrderItem]
    created_at: Time
    cancelled_at: Time | UnsetType = UNSET


class OrderQuery(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Which page."""

    page: PageNumber = 1
    limit: Limit = 20


class OrderPage(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One page of the caller's orders, newest first."""

    items: list[Order]
    total: Count
    page: PageNumber
    pages: Count


def order_of(row: Row, items: list[OrderItem]) -> Order:
    """Return a row (id, user, status, total, created, cancelled) with its items."""
    return Order(
        id=row[0],
        user_id=row[1],
        status=row[2],
        total=Price(row[3]),
        items=items,
        created_at=row[4],
        cancelled_at=row[5] or UNSET,
    )
