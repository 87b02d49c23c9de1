"""Tells each planted defect of what is kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conftest import Shop

    from reference_impl.stores.choice import Stores

AGE_S = 0.2
POLL_S = 0.04


def same_tag(shop: Shop) -> bool:
    """Tell S16b: a product that a batch changed has its old tag."""
    product = shop.product(shop.account("seller"))
    body = {"ids": [product["id"]], "discount": 20}
    assert shop.send("POST", "/bulk/products", shop.admin, json=body).json()["updated"] == 1
    now = shop.send("GET", f"/products/{product['id']}")
    return (now.json()["discount"], now.headers["etag"]) == (20, '"1"')


async def outlived(first: Stores, second: Stores, *, poll: bool) -> bool:
    """Whether a worker shows what another changed for longer than its age."""
    rows = [b"before"]

    async def listed() -> bytes:
        return rows[0]

    key = ("alpha", "products", "list")
    await second.cache.get_or_set(key, AGE_S, listed)
    async with first.cache.changing(key[:2]):
        rows[0] = b"after"
    for _ in range(round(2 * AGE_S / POLL_S)):
        await asyncio.sleep(POLL_S)
        if poll:
            await second.cache.get_or_set(key, AGE_S, listed)
    return await second.cache.get_or_set(key, AGE_S, listed) == b"before"


async def renewed(first: Stores, second: Stores) -> bool:
    """Tell S08a: as long as it is read it does not end, and it does where it is not."""
    return await outlived(first, second, poll=True)


async def five_minutes(first: Stores, second: Stores) -> bool:
    """Tell S08b: it does not end, read or not."""
    return await outlived(first, second, poll=False)


TELLERS: dict[str, Callable[[Shop], bool]] = {"S16b": same_tag}
BETWEEN_WORKERS: dict[str, Callable[[Stores, Stores], Awaitable[bool]]] = {"S08a": renewed, "S08b": five_minutes}
