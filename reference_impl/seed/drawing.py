"""Draws the rows of a catalogue: the same number gives the same rows, and more products begin with the fewer."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from reference_impl.clock import rfc3339
from reference_impl.data.search import folded
from reference_impl.procedures.product_writes import slug_of
from reference_impl.seed.words import COMMENTS, GOODS, MATERIALS, NAMES, QUALITIES, SENTENCES

if TYPE_CHECKING:
    from reference_impl.data.database import Row

SELLERS = 20
REVIEWERS = 100
# A fixed first day, so that rows do not depend on when they are drawn.
_FIRST_S = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
_APART_S = 2400.0
_DISCOUNTS = (0, 0, 0, 0, 0, 0, 5, 10, 15, 30)
_STARS = (1, 2, 3, 4, 4, 4, 5, 5, 5, 5)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One product with what hangs on it; rows are in the order of the columns they are written to."""

    category: str
    product: Row
    images: tuple[Row, ...]
    reviews: tuple[Row, ...]


def users(seed: int) -> list[Row]:
    """Return sellers, then reviewers (id, e-mail, name, search text, roles, created, updated); none can log in."""
    draw = random.Random(f"{seed}/users")  # noqa: S311 - repeatable, not secret
    rows: list[Row] = []
    at = rfc3339(_FIRST_S)
    for number in range(SELLERS + REVIEWERS):
        role, roles = ("seller", "user,seller") if number < SELLERS else ("reviewer", "user")
        name = f"{draw.choice(NAMES)} {draw.choice(NAMES)}"
        email = f"{role}{number}.seed{seed}@example.test"
        rows.append((identifier(draw, _FIRST_S), email, name, folded(name), roles, at, at))
    return rows


def categories(seed: int) -> list[Row]:
    """Return the categories (id, name, created, updated)."""
    draw = random.Random(f"{seed}/categories")  # noqa: S311 - repeatable, not secret
    at = rfc3339(_FIRST_S)
    return [(identifier(draw, _FIRST_S), name, at, at) for name in GOODS]


def product(seed: int, number: int, people: list[Row]) -> Drawn:
    """Return one product; `people` are the rows of `users`."""
    draw = random.Random(f"{seed}/{number}")  # noqa: S311 - repeatable, not secret
    made_s = _FIRST_S + number * _APART_S
    product_id = identifier(draw, made_s)
    category = draw.choice(tuple(GOODS))
    name = f"{draw.choice(QUALITIES)} {draw.choice(MATERIALS)} {draw.choice(GOODS[category])}"
    description = " ".join(draw.sample(SENTENCES, draw.randint(1, 4)))
    slug = f"{slug_of(name)}-{product_id[-12:]}"
    cents = 5 * round(draw.lognormvariate(7, 0.8) / 5) + 95
    seller_id = people[draw.randrange(SELLERS)][0]
    at = rfc3339(made_s)
    row = (product_id, seller_id, name, slug, description, folded(name, description), cents, draw.choice(_DISCOUNTS))
    pictures = [f"https://images.example.test/{slug}/{position}.jpg" for position in range(draw.randint(0, 3))]
    authors = draw.sample(people[SELLERS:], draw.choice((0, 0, 1, 1, 2, 3, 5, 8)))
    return Drawn(
        category,
        (*row, draw.randint(0, 500), at, at),
        tuple((product_id, position, url) for position, url in enumerate(pictures)),
        tuple(_review(draw, product_id, author[0], made_s) for author in authors),
    )


def _review(draw: random.Random, product_id: str, user_id: str, made_s: float) -> Row:
    at_s = made_s + draw.uniform(1, 30 * 86_400)
    review_id = identifier(draw, at_s)
    return (review_id, product_id, user_id, draw.choice(_STARS), draw.choice(COMMENTS), rfc3339(at_s))


def identifier(draw: random.Random, at_s: float) -> str:
    """Return a UUIDv7 (RFC 9562) of this instant whose other bits are drawn."""
    bits = (int(at_s * 1000) << 80) | (7 << 76) | (draw.getrandbits(12) << 64) | (2 << 62) | draw.getrandbits(62)
    return str(UUID(int=bits))
