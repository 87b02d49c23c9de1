"""Image upload: a picture becomes two stored files, and then a row of its product."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import SIGNED_IN, Call, Procedure, Reply
from reference_impl.contract.upload import Upload  # noqa: TC001 - msgspec reads annotations
from reference_impl.data.database import Statement, Transaction
from reference_impl.errors import ApiError, not_found
from reference_impl.objects.store import address
from reference_impl.pictures import FORMATS, PIXELS, SIDE
from reference_impl.procedures.product_reads import ONE, read
from reference_impl.procedures.product_types import MOST_IMAGES, Image, Product, etag
from reference_impl.procedures.product_writes import LOCK, OWNER, owned
from reference_impl.procedures.records import audit, emit

if TYPE_CHECKING:
    from reference_impl.identity.tokens import Identity

_COUNT = "SELECT COUNT(*), coalesce(MAX(position), -1) FROM product_images WHERE product_id = ?"
_INSERT = "INSERT INTO product_images (product_id, position, url, thumbnail_url) VALUES (?, ?, ?, ?)"
_RAISE = "UPDATE products SET version = version + 1, updated_at = ? WHERE id = ?"
_JPEG = "image/jpeg"


class ImageInput(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A JPEG, PNG, WebP or GIF picture of at most 10 MB and 25 megapixels; only its bytes say which."""

    image: Upload


async def upload_image(call: Call[ImageInput, None]) -> Reply:
    """Add a picture to a product: upright, without metadata, at most 1200 pixels a side, with a thumbnail."""
    product_id, data = call.path["id"], call.body.image.data
    limit_bytes = call.services.settings.edge.upload_limit_bytes
    if len(data) > limit_bytes:
        raise ApiError("PAYLOAD_TOO_LARGE", f"A file may have {limit_bytes} bytes.")
    # Who may not, and where there is no room, costs no decoding; both are asked again when the row is written.
    await call.database.read(partial(_room, call.identity, product_id), small=True)
    picture = await call.services.pictures.read(data)
    # Files come before the row that names them: a row's address always resolves, a file without a row harms nobody.
    url, thumbnail_url = [await _stored(call, product_id, file) for file in (picture.full, picture.thumbnail)]
    body = partial(_add, call.identity, product_id, Image(url, thumbnail_url))
    product = await call.database.transaction(body, locking=True)
    return Reply(product, ((b"location", url.encode()), *etag(product.version)))


async def _stored(call: Call[ImageInput, None], product_id: str, file: bytes) -> str:
    """Store a file under a name that no other has or will have, its product's in front, and return its address."""
    name = f"{product_id}-{uuid4().hex}.jpg"
    await call.services.objects.put(call.tenant, name, file, _JPEG)
    return address(call.tenant, name)


def _room(identity: Identity, product_id: str) -> Transaction[int]:
    """Return the next image's position; NOT_FOUND, FORBIDDEN, or CONFLICT when the product has all it may have."""
    rows = yield Statement(ONE, (product_id,))
    if not rows:
        raise not_found("product")
    owned(identity, rows[0])
    count, last = (yield Statement(_COUNT, (product_id,)))[0]
    if count >= MOST_IMAGES:
        raise ApiError("CONFLICT", f"A product has at most {MOST_IMAGES} images.")
    return int(last) + 1


def _add(identity: Identity, product_id: str, image: Image) -> Transaction[Product]:
    """Write the row, raise the version, and leave audit row and event row."""
    yield Statement(LOCK, (product_id,), lock=True)
    position = yield from _room(identity, product_id)
    yield Statement(_INSERT, (product_id, position, image.url, image.thumbnail_url))
    yield Statement(_RAISE, (rfc3339(time.time()), product_id))
    product = yield from read(product_id)
    yield from audit(identity.user_id, "products.uploadImage", product_id, url=image.url, version=product.version)
    yield from emit("products", "updated", id=product_id, categoryId=product.category.id, version=product.version)
    return product


PROCEDURES = (
    Procedure(
        id="products.uploadImage",
        method="POST",
        path="/products/{id}/images",
        summary="Add an image to a product",
        description="JPEG, PNG, GIF or WebP, judged by its bytes; stored upright and smaller, with a thumbnail.",
        handler=upload_image,
        changes=("products",),
        access=SIGNED_IN,
        limit="upload",
        input=ImageInput,
        multipart=True,
        encoding={"image": ", ".join(FORMATS.values())},
        output=Product,
        status=201,
        errors=("FORBIDDEN", "CONFLICT"),
        response_headers=("Location", "ETag"),
        promises={
            "owner": OWNER,
            "upload": {"max_pixels": PIXELS, "max_side": SIDE, "whole": True},
            "objective": {"p95_ms": 2000, "error_ratio": 0.01},
        },
    ),
)
