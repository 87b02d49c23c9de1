"""Calls over RPC in a test, and a look at the form of what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx


def call(shop: Any, name: str, value: Any = None, by: Any = None, **more: Any) -> httpx.Response:
    """Call a procedure with an input of plain JSON."""
    answer: httpx.Response = shop.send("POST", f"/api/rpc/{name}", by, json={"json": value or {}, **more})
    return answer


def failure(answer: httpx.Response) -> dict[str, Any]:
    """Return the error of an answer, after a look at its form."""
    body = answer.json()
    assert body.keys() == {"json"}, body
    error: dict[str, Any] = body["json"]
    assert error.keys() == {"defined", "code", "status", "message", "data"}, error
    assert error["defined"] is True
    assert error["status"] == answer.status_code
    envelope = error["data"]["error"]
    assert (envelope["code"], envelope["message"]) == (error["code"], error["message"])
    assert envelope["requestId"] == answer.headers["x-request-id"]
    return error
