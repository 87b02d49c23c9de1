"""The benchmark's requests about the shop: categories, products, images, reviews, orders."""

from __future__ import annotations

import io
import itertools
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import client
from PIL import Image
from plans import API, FEW, WRITES, Plan, every, made, read, send, use_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from served import Served

_NUMBERS = itertools.count()
_BOUNDARY = "benchmark-boundary"


def of(server: Served) -> dict[str, Callable[[], Plan]]:
    """The plan of each operation, made when it is asked for."""
    return {**_categories(server), **_products(server), **_images(server), **_reviews(server), **_orders(server)}


def _categories(server: Served) -> dict[str, Callable[[], Plan]]:
    admin, there = server.facts["admin"], server.facts["categoryId"]

    def create(_number: int) -> bytes:
        return send("POST", "/categories", admin, {"name": f"Category {next(_NUMBERS)}"})

    def update() -> Plan:
        (one,) = made(server, create, 1)
        return Plan(
            200,
            lambda _: send("PATCH", f"/categories/{one}", admin, {"name": f"Renamed {next(_NUMBERS)}"}),
            WRITES,
            reads=False,
        )

    return {
        "categories.list": partial(read, "/categories?limit=20", admin),
        "categories.get": partial(read, f"/categories/{there}", admin),
        "categories.create": lambda: Plan(201, create, WRITES, reads=False),
        "categories.update": update,
        "categories.delete": lambda: use_up(
            made(server, create, every(WRITES)), 204, lambda one: send("DELETE", f"/categories/{one}", admin)
        ),
    }


def product(server: Served, _number: int, stock: int = 1_000_000) -> bytes:
    """A new product."""
    body = {
        "name": f"Walnut bowl {next(_NUMBERS)}",
        "price": 19.99,
        "categoryId": server.facts["categoryId"],
        "stock": stock,
        "description": "Turned by hand from one piece.",
    }
    return send("POST", "/products", server.facts["seller"], body)


def _products(server: Served) -> dict[str, Callable[[], Plan]]:
    admin, seller, user = server.facts["admin"], server.facts["seller"], server.facts["user"]
    ids = server.facts["products"]
    create = partial(product, server)

    def update() -> Plan:
        things = made(server, create, every(WRITES))
        body = {"price": 20.49, "version": 1}
        return use_up(things, 200, lambda one: send("PATCH", f"/products/{one}", seller, body))

    def batch(number: int) -> bytes:
        return send("POST", "/bulk/products", admin, {"ids": ids[:10], "discount": number % 50})

    return {
        "products.list": partial(read, "/products?limit=20", user),
        "products.get": partial(read, f"/products/{ids[0]}", user),
        "products.create": lambda: Plan(201, create, WRITES, reads=False),
        "products.update": update,
        "products.delete": lambda: use_up(
            made(server, create, every(WRITES)), 204, lambda one: send("DELETE", f"/products/{one}", seller)
        ),
        "products.batchUpdate": lambda: Plan(200, batch, WRITES, reads=False),
    }


def _images(server: Served) -> dict[str, Callable[[], Plan]]:
    seller = server.facts["seller"]
    picture = io.BytesIO()
    random = Random(1)
    noise = bytes(random.randrange(256) for _ in range(200 * 150 * 3))
    Image.frombytes("RGB", (200, 150), noise).resize((1600, 1200)).save(picture, "JPEG", quality=85)
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="bowl.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    body = head.encode() + picture.getvalue() + f"\r\n--{_BOUNDARY}--\r\n".encode()
    headers = {**seller, "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}

    def upload() -> Plan:
        things = made(server, partial(product, server), every(FEW))
        return Plan(
            201,
            lambda number: client.raw("POST", f"{API}/products/{things[number]}/images", headers, body),
            FEW,
            reads=False,
            objective_ms=2000,
        )

    return {"products.uploadImage": upload}


def _reviews(server: Served) -> dict[str, Callable[[], Plan]]:
    user, ids = server.facts["user"], server.facts["products"]
    body = {"rating": 4, "comment": "Smaller than it looks."}

    def review(product_id: str) -> bytes:
        return send("POST", f"/products/{product_id}/reviews", user, body)

    def fresh(count: int) -> list[str]:
        things = made(server, partial(product, server), count)
        return made(server, lambda number: review(things[number % 1_000_000]), count)

    def create() -> Plan:
        return use_up(made(server, partial(product, server), every(WRITES)), 201, review)

    return {
        "reviews.list": partial(read, f"/products/{ids[0]}/reviews", user),
        "reviews.create": create,
        "reviews.get": lambda: read(f"/reviews/{fresh(1)[0]}", user),
        "reviews.delete": lambda: use_up(
            fresh(every(WRITES)), 204, lambda one: send("DELETE", f"/reviews/{one}", user)
        ),
    }


def _orders(server: Served) -> dict[str, Callable[[], Plan]]:
    user = server.facts["user"]
    stocked: list[str] = []

    def stock() -> None:
        if not stocked:
            stocked.extend(made(server, partial(product, server), 50))

    def create(number: int) -> bytes:
        return send("POST", "/orders", user, {"items": [{"productId": stocked[number % 50], "quantity": 1}]})

    def keyed(number: int) -> bytes:
        request = create(number)
        head, _, body = request.partition(b"\r\n\r\n")
        return head + f"\r\nIdempotency-Key: key-{next(_NUMBERS)}\r\n\r\n".encode() + body

    def placed(count: int) -> list[str]:
        stock()
        return made(server, create, count)

    def write(make: Callable[[int], bytes]) -> Plan:
        stock()
        return Plan(201, make, WRITES, reads=False)

    return {
        "orders.create": partial(write, create),
        "orders.create with a key": partial(write, keyed),
        "orders.list": partial(read, "/orders?limit=20", user),
        "orders.get": lambda: read(f"/orders/{placed(1)[0]}", user),
        "orders.cancel": lambda: use_up(
            placed(every(WRITES)), 200, lambda one: send("POST", f"/orders/{one}/cancel", user)
        ),
    }
