"""One product as GET shows it, with category, images and newest reviews; and the row that says who saw it."""

from __future__ import annotations

import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import Call, Reply
from reference_impl.data.database import Database, DatabaseError, Row, Statement, Transaction
from reference_impl.errors import not_found
from reference_impl.procedures import review_types
from reference_impl.procedures.product_types import COLUMNS, Image, Product, etag, product_of
from reference_impl.procedures.review_types import Review

if TYPE_CHECKING:
    from collections.abc import Iterable

ONE = (
    f"SELECT {COLUMNS} FROM products p LEFT JOIN categories c ON c.id = p.category_id "  # noqa: S608 - constants only
    "WHERE p.id = ? AND p.deleted_at IS NULL"
)
_IMAGES = "SELECT url, thumbnail_url FROM product_images WHERE product_id = ? ORDER BY position"
_NEWEST = (
    f"SELECT {review_types.COLUMNS} FROM reviews WHERE product_id = ? "  # noqa: S608 - constants only
    "ORDER BY created_at DESC, id DESC LIMIT 5"
)
_VIEWED = "SELECT viewed_at FROM product_views WHERE product_id = ? AND user_id = ?"
_VIEW = (
    "INSERT INTO product_views (product_id, user_id, viewed_at) VALUES (?, ?, ?) "
    "ON CONFLICT (product_id, user_id) DO UPDATE SET viewed_at = excluded.viewed_at"
)
# A view younger than this is the same visit, and costs no write.
VISIT_S = 60


async def get_product(call: Call[None, None]) -> Reply:
    """Return one product with its entity tag; a signed-in caller has seen it."""
    user_id = call.caller.user_id if call.caller else ""
    product, viewed = await call.database.read(partial(_visit, call.path["id"], user_id), small=True)
    now_s = time.time()
    if user_id and (not viewed or viewed[0][0] < rfc3339(now_s - VISIT_S)):
        await _record(call.database, product.id, user_id, now_s)
    return Reply(product, etag(product.version))


async def _record(database: Database, product_id: str, user_id: str, now_s: float) -> None:
    with contextlib.suppress(DatabaseError):  # a view that is lost is no reason to refuse the read
        await database.run(_VIEW, product_id, user_id, rfc3339(now_s))


def _visit(product_id: str, user_id: str) -> Transaction[tuple[Product, list[Row]]]:
    product = yield from read(product_id)
    viewed = (yield Statement(_VIEWED, (product_id, user_id))) if user_id else []
    return product, viewed


def read(product_id: str) -> Transaction[Product]:
    """Return a product as the transaction sees it; NOT_FOUND when it is gone."""
    rows = yield Statement(ONE, (product_id,))
    if not rows:
        raise not_found("product")
    images = yield Statement(_IMAGES, (product_id,))
    reviews = yield Statement(_NEWEST, (product_id,))
    return product_of(rows[0], images_of(images), [Review(*review) for review in reviews])


def images_of(rows: Iterable[Row]) -> list[Image]:
    """Return rows (url, thumbnail or None) as images."""
    return [Image(url, thumbnail_url or url) for url, thumbnail_url in rows]
