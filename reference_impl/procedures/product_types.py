"""What products look like on the wire and in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

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
from reference_impl.price import Price, discounted
from reference_impl.procedures.review_types import Review  # noqa: TC001 - msgspec reads annotations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reference_impl.contract.procedure import Headers
    from reference_impl.data.database import Row

COLUMNS = (
    "p.id, p.seller_id, p.name, p.slug, p.description, p.price_cents, p.stock, p.version, p.created_at, p.updated_at, "
    "c.id, c.name, p.discount_percent"
)
MOST_IMAGES = 10
NamedImages = Annotated[list[Url], Meta(max_length=MOST_IMAGES)]
Percent = Annotated[int, Meta(ge=0, le=100, examples=[20])]
ListPrice = Annotated[Price, Meta(description="Compared with `price`, before any discount.")]
# Ours are paths on this server, those that sellers name are whole addresses.
ImageUrl = Annotated[
    str, Meta(max_length=500, extra_json_schema={"format": "uri-reference", "examples": ["/files/alpha/4f2a.jpg"]})
]


class CategoryName(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The category a product stands in."""

    id: Id
    name: Annotated[Name, Meta(examples=["Bowls"])]


class Image(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One image of a product; one that lies elsewhere is its own thumbnail."""

    url: ImageUrl
    thumbnail_url: ImageUrl


class ProductItem(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A product in a list; `finalPrice`, what an order pays, is `price` less `discount` percent, half cents up."""

    id: Id
    seller_id: Id
    name: Name
    slug: Annotated[str, Meta(min_length=1, max_length=250, examples=["walnut-bowl"])]
    description: Description
    price: Price
    discount: Percent
    final_price: Annotated[Price, Meta(extra_json_schema={"examples": [19.6]})]
    stock: Count
    version: Version
    created_at: Time
    updated_at: Time
    category: CategoryName
    images: Annotated[list[Image], Meta(max_length=MOST_IMAGES)]


class Product(ProductItem):
    """A product with its newest reviews; every change of what stands here raises `version`."""

    reviews: Annotated[list[Review], Meta(max_length=5)]


class ProductInput(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A new product."""

    name: Name
    price: Price
    category_id: Id
    stock: Stock = 0
    description: Description = ""
    images: NamedImages = []  # msgspec copies an empty list for each value


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
    category: Annotated[Id, Meta(description="Those of one category.")] | UnsetType = UNSET
    min_price: Annotated[ListPrice, Meta(description="Those that cost so much at least.")] | UnsetType = UNSET
    max_price: Annotated[ListPrice, Meta(description="Those that cost so much at most.")] | UnsetType = UNSET
    sort_by: Annotated[Literal["price", "createdAt"], Meta(description="By what they are sorted.")] = "createdAt"
    sort_order: Annotated[Literal["asc", "desc"], Meta(description="Which end comes first.")] = "desc"


class ProductPage(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One page of products; `total` counts all that fit the filter."""

    items: list[ProductItem]
    total: Count
    page: PageNumber
    pages: Count


def item_of(row: Row, images: Sequence[Image]) -> ProductItem:
    """Return a row of COLUMNS as a product of a list."""
    return ProductItem(*_members(row, images))


def product_of(row: Row, images: Sequence[Image], reviews: Sequence[Review] = ()) -> Product:
    """Return a row of COLUMNS as a product."""
    return Product(*(*_members(row, images), list(reviews)))


def _members(row: Row, images: Sequence[Image]) -> tuple[Any, ...]:
    product_id, seller_id, name, slug, description, price_cents, stock, version, created_at, updated_at = row[:10]
    category_id, category_name, discount = row[10:13]
    return (
        product_id,
        seller_id,
        name,
        slug,
        description,
        Price(price_cents),
        discount,
        Price(discounted(price_cents, discount)),
        stock,
        version,
        created_at,
        updated_at,
        CategoryName(category_id, category_name),
        list(images),
    )


def etag(version: int) -> Headers:
    """Return the entity tag of a version."""
    return ((b"etag", f'"{version}"'.encode()),)
