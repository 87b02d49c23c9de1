"""What products look like on the wire and in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_impl.contract.fields import (
    Count,
    Description,
    Id,
    Limit,
    Name,
    PageNumber,
    Search,
    Stock,
    Time,
    Url,
    Version,
)
from reference_impl.price import Price

if TYPE_CHECKING:
    from reference_impl.contract.procedure import Headers
    from reference_impl.data.database import Row

COLUMNS = (
    "p.id, p.seller_id, p.name, p.slug, p.description, p.price_cents, p.stock, p.version, p.created_at, p.updated_at, "
    "c.id, c.name"
)
Images = Annotated[list[Url], Meta(max_length=10)]


class CategoryName(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The category a product stands in."""

    id: Id
    name: Name


class Product(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A product; every change of what stands here raises `version`."""

    id: Id
    seller_id: Id
    name: Name
    slug: Annotated[str, Meta(min_length=1, max_length=250)]
    description: Description
    price: Price
    stock: Count
    version: Version
    created_at: Time
    updated_at: Time
    category: CategoryName
    images: Images


class ProductInput(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A new product."""

    name: Name
    price: Price
    category_id: Id
    stock: Stock = 0
    description: Description = ""
    images: Images = []  # msgspec copies an empty list for each value


class ProductPatch(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What changes; `version` is the one seen, unless If-Match says it."""

    name: Name | UnsetType = UNSET
    price: Price | UnsetType = UNSET
    category_id: Id | UnsetType = UNSET
    stock: Stock | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    version: Version | UnsetType = UNSET


class ProductQuery(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Which products, and in what order."""

    page: PageNumber = 1
    limit: Limit = 20
    search: Search = ""
    category: Id | UnsetType = UNSET
    min_price: Price | UnsetType = UNSET
    max_price: Price | UnsetType = UNSET
    sort_by: Literal["price", "createdAt"] = "createdAt"
    sort_order: Literal["asc", "desc"] = "desc"


class ProductPage(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One page of products; `total` counts all that fit the filter."""

    items: list[Product]
    total: Count
    page: PageNumber
    pages: Count


def product_of(row: Row, images: list[str]) -> Product:
    """Return a row of COLUMNS as a product."""
    return Product(
        id=row[0],
        seller_id=row[1],
        name=row[2],
        slug=row[3],
        description=row[4],
        price=Price(row[5]),
        stock=row[6],
        version=row[7],
        created_at=row[8],
        updated_at=row[9],
        category=CategoryName(row[10], row[11]),
        images=images,
    )


def etag(version: int) -> Headers:
    """Return the entity tag of a version."""
    return ((b"etag", f'"{version}"'.encode()),)
