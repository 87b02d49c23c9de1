"""Writes a drawn catalogue in few transactions; rows that are there already stay as they are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reference_impl.data.database import Row, Statement, Transaction, marks
from reference_impl.seed import drawing
from reference_impl.seed.words import GOODS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reference_impl.data.database import Database
    from reference_impl.seed.drawing import Drawn

_PRODUCTS = 1000
_ROWS = 250
_COLUMNS = {
    "users": "id, email, name, search_text, roles, created_at, updated_at",
    "categories": "id, name, created_at, updated_at",
    "products": (
        "category_id, id, seller_id, name, slug, description, search_text, price_cents, discount_percent, stock, "
        "created_at, updated_at, version"
    ),
    "product_images": "product_id, position, url",
    "reviews": "id, product_id, user_id, rating, comment, created_at",
}
_NAMED = "SELECT name, id FROM categories WHERE name IN ({})"


async def sow(database: Database, products: int, seed: int) -> dict[str, int]:
    """Write a catalogue and return how many rows each table gained; twice is once.

    No audit rows and no events: it is set up before anyone listens. A running API may show its old lists for as long
    as they are cached.
    """
    people = drawing.users(seed)
    gained = await database.transaction(partial(_ground, people, seed))
    rows = await database.query(_NAMED.format(marks(len(GOODS))), *GOODS)
    named: dict[str, str] = {row[0]: row[1] for row in rows}
    for start in range(0, products, _PRODUCTS):
        numbers = range(start, min(start + _PRODUCTS, products))
        drawn = [drawing.product(seed, number, people) for number in numbers]
        for table, count in (await database.transaction(partial(_goods, drawn, named))).items():
            gained[table] = gained.get(table, 0) + count
    return gained


def _ground(people: list[Row], seed: int) -> Transaction[dict[str, int]]:
    return {
        "users": (yield from _insert("users", people)),
        "categories": (yield from _insert("categories", drawing.categories(seed))),
    }


def _goods(drawn: list[Drawn], categories: dict[str, str]) -> Transaction[dict[str, int]]:
    products = [(categories[one.category], *one.product, 1) for one in drawn]
    return {
        "products": (yield from _insert("products", products)),
        "product_images": (yield from _insert("product_images", [row for one in drawn for row in one.images])),
        "reviews": (yield from _insert("reviews", [row for one in drawn for row in one.reviews])),
    }


def _insert(table: str, rows: Sequence[Row]) -> Transaction[int]:
    """Write rows, many a statement, and return how many were not there."""
    gained = 0
    for start in range(0, len(rows), _ROWS):
        some = rows[start : start + _ROWS]
        places = ", ".join([f"({marks(len(some[0]))})"] * len(some))
        text = f"INSERT INTO {table} ({_COLUMNS[table]}) VALUES {places} ON CONFLICT DO NOTHING RETURNING 1"  # noqa: S608 - constants and marks only
        gained += len((yield Statement(text, tuple(value for row in some for value in row))))
    return gained
