"""The journey of a seller: a product is offered, its price is changed, it gets a picture, and it is taken back."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from harness.load.journey import Route
from scenarios.load.ground import STOCK, WORDS
from scenarios.load.request import id_of, request
from scenarios.load.shop import browse

if TYPE_CHECKING:
    from harness.load.journey import Journey, Visit


BOUNDARY = "load"
SIDE_PIXELS = 64


def picture() -> bytes:
    """A form that holds one small grey PNG."""
    header = SIDE_PIXELS.to_bytes(4) * 2 + bytes([8, 0, 0, 0, 0])
    rows = bytes([0, *range(SIDE_PIXELS)]) * SIDE_PIXELS
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    packed = (len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4) for kind, data in chunks)
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    return head.encode() + b"\x89PNG\r\n\x1a\n" + b"".join(packed) + f"\r\n--{BOUNDARY}--\r\n".encode()


PICTURE = picture()


def offer(visit: Visit) -> Journey[None]:
    """Makes a product, changes it against the version that was answered, adds an image and deletes it; a seller does.

    Where there is none the customer browses.
    """
    sellers, categories = visit.ground.facts["sellers"], visit.ground.facts["categories"]
    if not sellers or not categories:
        yield from browse(visit)
        return
    random, seller = visit.random, visit.random.choice(sellers)
    product = {
        "name": f"{random.choice(WORDS)} on offer",
        "price": random.randint(100, 9999) / 100,
        "categoryId": random.choice(categories),
        "stock": random.randint(1, STOCK),
    }
    made = yield request("products.create", "POST", "/products", seller, product)
    path, version = f"/products/{id_of(made)}", made.header("ETag")
    if not id_of(made):
        return
    if version:
        change = {"price": random.randint(100, 9999) / 100}
        yield request("products.update", "PATCH", path, seller, change, headers={"If-Match": version})
    form = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    yield request("products.uploadImage", "POST", f"{path}/images", seller, PICTURE, headers=form)
    yield request("products.delete", "DELETE", path, seller)


ROUTES = (Route("offer", 2, offer),)
