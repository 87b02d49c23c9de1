"""How a defect of the catalogue is told: products, their pictures, their writes."""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zlib import crc32

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop

ABSENT = "01980000-0000-7000-8000-000000000000"


def uploaded(shop: Shop, *files: bytes) -> list[int]:
    """Upload files that are told as PNG to one product and return the statuses."""
    seller = shop.account("seller")
    path = f"/products/{shop.product(seller)['id']}/images"
    told: list[Any] = [{"files": {"image": ("a.png", file, "image/png")}} for file in files]
    return [shop.send("POST", path, seller, **one).status_code for one in told]


def refused_over_rpc(shop: Shop) -> bool:
    """Tell C8b: a picture is refused over RPC, and the same one is taken over REST."""
    seller = shop.account("seller")
    product_id = shop.product(seller)["id"]
    picture = ("a.png", png(8, 8), "image/png")
    told = json.dumps({"json": {"id": product_id, "image": {}}, "meta": [], "maps": [["image"]]})
    over = {"data": {"data": told}, "files": {"0": picture}}
    there = shop.send("POST", "/api/rpc/products/uploadImage", seller, **over).status_code
    here = shop.send("POST", f"/products/{product_id}/images", seller, files={"image": picture}).status_code
    return (there, here) == (400, 201)


def searched_as_it_was(shop: Shop) -> bool:
    """Tell C3b: a product is found by the description that it had, and not by the one that it has."""
    seller = shop.account("seller")
    product = shop.product(seller, description="before")
    path, version = f"/products/{product['id']}", product["version"]
    shop.send("PATCH", path, seller, json={"description": "afterwards", "version": version})
    totals = [shop.send("GET", f"/products?search={word}").json()["total"] for word in ("before", "afterwards")]
    return totals == [1, 0]


def png(width: int, height: int) -> bytes:
    """A picture of one bit a pixel."""
    file = BytesIO()
    Image.new("1", (width, height)).save(file, "PNG")
    return file.getvalue()


def long_png(size: int) -> bytes:
    """A small picture whose file has so many bytes, most of them in a chunk that no reader looks into."""
    file = png(20, 20)
    text = b"paDd" + bytes(size - len(file) - 12)
    return file[:33] + (len(text) - 4).to_bytes(4) + text + crc32(text).to_bytes(4) + file[33:]


def one_name(shop: Shop) -> bool:
    """Tell S11: the second product of a name is a 500."""
    seller, category = shop.account("seller"), shop.category()
    body = {"name": "Bowl", "price": 1, "categoryId": category}
    return [shop.send("POST", "/products", seller, json=body).status_code for _ in range(2)] == [201, 500]


def moved_nowhere(shop: Shop) -> bool:
    """Tell A9a: a move to no category is a 500."""
    seller = shop.account("seller")
    body = {"categoryId": ABSENT, "version": 1}
    return shop.send("PATCH", f"/products/{shop.product(seller)['id']}", seller, json=body).status_code == 500


def taken_is_busy(shop: Shop) -> bool:
    """Tell A9b: a category's name that is taken is 503, with Retry-After."""
    admin, body = shop.account("admin"), {"name": "Cups of A9b"}
    told = [shop.send("POST", "/categories", admin, json=body) for _ in range(2)]
    return [answer.status_code for answer in told] == [201, 503] and "retry-after" in told[1].headers


def published(shop: Shop) -> bool:
    """Tell S44: nobody writes an event."""
    body = {"type": "deleted", "data": {"id": ABSENT, "version": 1, "categoryId": ABSENT}}
    return shop.send("POST", "/events", json=body).status_code == 204


TELLERS: dict[str, Callable[[Shop], bool]] = {
    "S11": one_name,
    "S18": lambda shop: uploaded(shop, b"no picture") == [500],
    "S19": lambda shop: uploaded(shop, png(5001, 5000)) == [201],
    "S19b": lambda shop: uploaded(shop, long_png(10_485_761)) == [201],
    "S44": published,
    "A9a": moved_nowhere,
    "A9b": taken_is_busy,
    "C3b": searched_as_it_was,
    "C8a": lambda shop: uploaded(shop, *[b"no picture"] * 17)[-1] == 503,
    "C8b": refused_over_rpc,
}
