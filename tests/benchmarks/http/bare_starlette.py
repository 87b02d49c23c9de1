"""Starlette and msgspec alone: one route, no layer, as the frameworks beside it are measured bare."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

encode = msgspec.json.Encoder().encode


async def hello(_request: Request) -> Response:
    """The framework alone."""
    return Response(encode({"hello": "world"}), media_type="application/json")


if __name__ == "__main__":
    app = Starlette(routes=[Route("/bare", hello)])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical", access_log=False)
