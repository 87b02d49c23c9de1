"""What reviews look like on the wire and in rows."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from reference_impl.contract.fields import (
    NO_NUL,
    Count,
    Id,
    Limit,
    PageNumber,
    Time,
)

COLUMNS = "id, product_id, user_id, rating, comment, created_at"
Rating = Annotated[int, Meta(ge=1, le=5, examples=[4])]
Comment = Annotated[str, Meta(max_length=2000, pattern=NO_NUL, examples=["Smaller than it looks, and lovely."])]


class Review(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What one user thinks of one product."""

    id: Id
    product_id: Id
    user_id: Id
    rating: Rating
    comment: Comment
    created_at: Time


class ReviewInput(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A new review; a user has one of each product."""

    rating: Rating
    comment: Comment = ""


class ReviewQuery(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Which page."""

    page: PageNumber = 1
    limit: Limit = 20


class ReviewPage(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One page of a product's reviews, newest first."""

    items: list[Review]
    total: Count
    page: PageNumber
    pages: Count
