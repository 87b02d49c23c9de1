"""What the end of the server cuts short."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reference_impl.application import Parts
from reference_impl.procedures.catalogue import PROCEDURES

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from conftest import Shop

    from reference_impl.contract.procedure import Call, Reply


def test_a_request_whose_grace_is_over_gets_the_envelope(open_shop: Callable[..., Shop]) -> None:
    """The server cancels it; its client is told 503 and may come again, as of any refusal."""
    begun = asyncio.Event()

    async def endless(_call: Call[Any, Any]) -> Reply:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    procedures = tuple(
        replace(procedure, handler=endless) if procedure.id == "categories.get" else procedure
        for procedure in PROCEDURES
    )
    shop = open_shop(Parts(procedures=procedures))

    async def run() -> httpx.Response:
        sent = asyncio.create_task(shop.client.get("/api/v1/categories/any"))
        await begun.wait()
        sent.cancel()
        return await sent

    answer = shop.runner.run(run())
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["error"]["code"] == "UNAVAILABLE"
    assert answer.headers["x-request-id"] == answer.json()["error"]["requestId"]
