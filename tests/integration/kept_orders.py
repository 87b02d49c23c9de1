"""What stored orders must be, whatever happened to the processes: whole, told of, and drawn from the stock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.data.database import Row

HALF = (
    "SELECT o.id FROM orders o LEFT JOIN order_items i ON i.order_id = o.id GROUP BY o.id, o.total_cents "
    "HAVING COUNT(i.product_id) <> 2 OR SUM(i.quantity * i.price_cents) <> o.total_cents"
)
UNTOLD = (
    "SELECT o.id FROM orders o WHERE NOT EXISTS (SELECT 1 FROM audit_log a WHERE a.subject_id = o.id) "
    "OR NOT EXISTS (SELECT 1 FROM events e WHERE e.data LIKE '%' || o.id || '%')"
)
DRAWN = "SELECT product_id, SUM(quantity) FROM order_items GROUP BY product_id"
LEFT = "SELECT id, stock FROM products"


def hold(rows: Callable[[str], list[Row]], acknowledged: list[str], unknown: int, stock: int) -> None:
    """Hold what is stored, of orders of two lines each, against what was answered.

    Each acknowledged order is there whole, of the others at most the unknown ones, and the stock of each product,
    which was `stock`, adds up.
    """
    stored = {row[0] for row in rows("SELECT id FROM orders")}
    assert set(acknowledged) <= stored
    assert len(stored) <= len(acknowledged) + unknown
    assert (rows(HALF), rows(UNTOLD)) == ([], [])
    left = {row[0]: row[1] for row in rows(LEFT)}
    drawn = {row[0]: int(row[1]) for row in rows(DRAWN)}
    assert {product: stock - drawn.get(product, 0) for product in left} == left
