"""The comparison app on FastAPI: four operations of the shop with the same layers, statements and writes.

Started by uvicorn with uvloop and httptools, as the reference is. The path operations are coroutines and SQLite is
asked in place (microseconds), which is the fastest way FastAPI has here; threads would cost it more.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import sqlite3
import sys
import time
import unicodedata
import uuid
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, HttpUrl
from pydantic.alias_generators import to_camel
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PORT, FILE, KEY, QUOTA = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
LOG = Path(os.devnull).open("w", buffering=1)  # noqa: SIM115 - open as long as the server
WINDOW_S = 1.0
COLUMNS = (
    "p.id, p.seller_id, p.name, p.slug, p.description, p.price_cents, p.stock, p.version, p.created_at, "
    "p.updated_at, c.id, c.name"
)
FROM = "FROM products p JOIN categories c ON c.id = p.category_id WHERE p.deleted_at IS NULL"
LIST = (
    f"SELECT {COLUMNS} FROM (SELECT * FROM products WHERE deleted_at IS NULL ORDER BY created_at DESC, id DESC "  # noqa: S608 - constants only
    "LIMIT ? OFFSET ?) p JOIN categories c ON c.id = p.category_id ORDER BY p.created_at DESC, p.id DESC"
)
COUNT = "SELECT (SELECT COUNT(*) FROM products) - (SELECT COUNT(*) FROM products WHERE deleted_at IS NOT NULL)"
IMAGES = "SELECT product_id, url FROM product_images WHERE product_id IN ({}) ORDER BY product_id, position"
db = sqlite3.connect(FILE, isolation_level=None, cached_statements=256)
for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
    db.execute(f"PRAGMA {pragma}")


class Model(BaseModel):
    """Camel case on the wire, nothing unknown."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class ProductInput(Model):
    """A new product."""

    name: str = Field(min_length=1, max_length=200)
    price: float = Field(ge=0, le=999999.99)
    category_id: uuid.UUID
    stock: int = Field(0, ge=0, le=1_000_000)
    description: str = Field("", max_length=5000)
    images: list[HttpUrl] = Field([], max_length=10)


class Category(Model):
    """A category's name."""

    id: str
    name: str


class Product(Model):
    """A product."""

    id: str
    seller_id: str
    name: str
    slug: str
    description: str
    price: float
    stock: int
    version: int
    created_at: str
    updated_at: str
    category: Category
    images: list[str]


class Page(Model):
    """One page."""

    items: list[Product]
    total: int
    page: int
    pages: int


class PageQuery(Model):
    """Which page."""

    page: int = Field(1, ge=1, le=1_000_000)
    limit: int = Field(20, ge=1, le=100)


class Outer:
    """Request id, security headers and the log line."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, request_id, status = time.perf_counter(), str(uuid.uuid4()), 0

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] += [
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"x-frame-options", b"DENY"),
                    (b"referrer-policy", b"no-referrer"),
                    (b"content-security-policy", b"default-src 'none'"),
                ]
            await send(message)

        await self.app(scope, receive, dressed)
        route = getattr(scope.get("route"), "path", "")
        LOG.write(
            json.dumps(
                {
                    "at": now(),
                    "requestId": request_id,
                    "method": scope["method"],
                    "route": route,
                    "status": status,
                    "durationMs": (time.perf_counter() - began) * 1000,
                }
            )
            + "\n"
        )


def now() -> str:
    """The time as text."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


logs: dict[str, deque[float]] = {}


def take(name: str, who: str) -> tuple[bool, int, float]:
    """Count one request in the sliding window."""
    log, at = logs.setdefault(f"{name}:{who}", deque()), time.monotonic()
    while log and log[0] <= at - WINDOW_S:
        log.popleft()
    allowed = len(log) < QUOTA
    if allowed:
        log.append(at)
    return allowed, max(0, QUOTA - len(log)), log[0] + WINDOW_S - at if log else 0.0


async def caller(request: Request, response: Response) -> dict[str, Any] | None:
    """Who is calling, within the global limit."""
    header, user = request.headers.get("authorization"), None
    if header is not None:
        if not header.startswith("Bearer "):
            raise HTTPException(401, "Send a bearer token.")
        try:
            claims = jwt.decode(header[7:], KEY, algorithms=["HS256"], audience="reference-impl-api")
        except jwt.PyJWTError as error:
            raise HTTPException(401, "The token does not hold.") from error
        row = db.execute(
            "SELECT u.id, u.roles, s.expires_at, s.revoked_at FROM sessions s JOIN users u ON u.id = s.user_id "
            "WHERE s.id = ? AND u.id = ? AND u.deleted_at IS NULL",
            (claims["sid"], claims["sub"]),
        ).fetchone()
        if row is None or row[3] is not None or row[2] <= now():
            raise HTTPException(401, "The session is over.")
        user = {"id": row[0], "roles": row[1].split(",")}
    allowed, remaining, reset = take("global", user["id"] if user else "address")
    response.headers["RateLimit-Limit"] = str(QUOTA)
    response.headers["RateLimit-Remaining"] = str(remaining)
    response.headers["RateLimit-Reset"] = str(math.ceil(reset))
    if not allowed:
        raise HTTPException(429, "Too many requests.")
    return user


Caller = Annotated[dict[str, Any] | None, Depends(caller)]


def limited(name: str) -> Any:
    """A dependency that counts against one operation's limit."""

    async def check(user: Caller, response: Response) -> None:
        allowed, remaining, reset = take(name, user["id"] if user else "address")
        response.headers["X-RateLimit-Limit"] = str(QUOTA)
        response.headers["X-RateLimit-Remaining"] = str(remaining)
        response.headers["X-RateLimit-Reset"] = str(math.ceil(time.time() + reset))
        if not allowed:
            raise HTTPException(429, "Too many requests.")

    return Depends(check)


app = FastAPI()
app.add_middleware(GZipMiddleware, minimum_size=1024)
app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example.test"], allow_credentials=True)
app.add_middleware(Outer)


@app.exception_handler(HTTPException)
async def refused(_request: Request, error: HTTPException) -> JSONResponse:
    """The envelope."""
    return JSONResponse({"error": {"code": "ERROR", "message": error.detail, "retryable": False}}, error.status_code)


def one(product_id: str) -> Product | None:
    """One product with its images."""
    row = db.execute(f"SELECT {COLUMNS} {FROM} AND p.id = ?", (product_id,)).fetchone()
    if row is None:
        return None
    return shown(row, db.execute("SELECT url FROM product_images WHERE product_id = ? ORDER BY position", (row[0],)))


def shown(row: tuple[Any, ...], images: Iterable[tuple[str]]) -> Product:
    """A row as a product."""
    return Product(
        id=row[0], seller_id=row[1], name=row[2], slug=row[3], description=row[4], price=row[5] / 100, stock=row[6],
        version=row[7], created_at=row[8], updated_at=row[9], category=Category(id=row[10], name=row[11]),
        images=[image[0] for image in images],
    )  # fmt: skip


@app.get("/health")
async def health() -> dict[str, Any]:
    """Whether the database answers."""
    db.execute("SELECT 1").fetchone()
    return {"status": "ok", "timestamp": now(), "uptime": time.process_time(), "database": "up"}


@app.get("/api/v1/products", dependencies=[limited("list")])
async def list_products(query: Annotated[PageQuery, Query()]) -> Page:
    """One page of products."""
    rows = db.execute(LIST, (query.limit, (query.page - 1) * query.limit)).fetchall()
    (total,) = db.execute(COUNT).fetchone()
    images: dict[str, list[tuple[str]]] = {row[0]: [] for row in rows}
    if images:
        text = IMAGES.format(", ".join("?" * len(images)))
        for product_id, url in db.execute(text, tuple(images)):
            images[product_id].append((url,))
    items = [shown(row, images[row[0]]) for row in rows]
    return Page(items=items, total=total, page=query.page, pages=-(-total // query.limit))


@app.get("/api/v1/products/{product_id}", dependencies=[limited("get")])
async def get_product(product_id: str, response: Response) -> Product:
    """One product."""
    found = one(product_id)
    if found is None:
        raise HTTPException(404, "No such product.")
    response.headers["ETag"] = f'"{found.version}"'
    return found


@app.post("/api/v1/products", status_code=201, dependencies=[limited("create")])
async def create_product(body: ProductInput, user: Caller, response: Response) -> Product | None:
    """Make a product."""
    if user is None:
        raise HTTPException(401, "Sign in first.")
    if not {"seller", "admin"} & set(user["roles"]):
        raise HTTPException(403, "Sellers only.")
    product_id, at = str(uuid.uuid4()), now()
    plain = unicodedata.normalize("NFKD", body.name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:200].strip("-") or "product"
    db.execute("BEGIN IMMEDIATE")
    try:
        if db.execute("SELECT 1 FROM products WHERE slug = ?", (slug,)).fetchone():
            slug = f"{slug}-{product_id[-12:]}"
        cents = round(body.price * 100)
        db.execute(
            "INSERT INTO products (id, seller_id, category_id, name, slug, description, search_text, price_cents, "
            "stock, version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
            (
                product_id,
                user["id"],
                str(body.category_id),
                body.name,
                slug,
                body.description,
                f"{body.name}\n{body.description}".casefold(),
                cents,
                body.stock,
                at,
                at,
            ),
        )
        db.execute(
            "INSERT INTO audit_log (at, actor_id, action, subject_id, details) VALUES (?, ?, ?, ?, ?)",
            (at, user["id"], "products.create", product_id, json.dumps({"name": body.name})),
        )
        db.execute(
            "INSERT INTO events (at, channel, type, data) VALUES (?, ?, ?, ?)",
            (at, "products", "created", json.dumps({"id": product_id, "version": 1})),
        )
        made = one(product_id)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
    response.headers["Location"] = f"/api/v1/products/{product_id}"
    response.headers["ETag"] = '"1"'
    return made


bare = FastAPI()


@bare.get("/bare")
async def hello() -> dict[str, str]:
    """The framework alone."""
    return {"hello": "world"}


if __name__ == "__main__":
    logging.disable()
    served = bare if sys.argv[5:] == ["bare"] else app
    uvicorn.run(served, host="127.0.0.1", port=PORT, log_level="critical", access_log=False)
