"""Unfolds a batch: each part is a request of its own to the application below, with its own limits and status.

The wire is that of BatchLinkPlugin of @orpc/client 1.16: the header `x-orpc-batch` marks a batch and says whether
the answers come in one array or, as each is ready, as events.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from reference_impl.edge.answers import send_bytes
from reference_impl.edge.bodies import is_json, read_bytes
from reference_impl.edge.exchange import Exchange, of
from reference_impl.edge.stream import HEADERS as STREAM_HEADERS
from reference_impl.errors import ApiError, invalid
from reference_impl.rpc.failures import speaks_rpc
from reference_impl.rpc.parts import BATCH_HEADER, Answer, read_item, scope_of
from reference_impl.rpc.reading import parameter
from reference_impl.rpc.transport import PREFIX

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reference_impl.settings import Settings

MOST_PARTS = 10
"""As many as BatchLinkPlugin puts into one batch by itself."""
ROUTE = f"{PREFIX}/__batch__"
_STATUS = 207
_REFUSAL = "rpc.refusal"
_ID_LENGTH = 60
_MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_parts = msgspec.json.Decoder(list[msgspec.Raw])


class Batch:
    """Serves batches by `part`, which answers one request whole; everything else goes to `app`."""

    def __init__(self, app: ASGIApp, part: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._part = part
        self._limit_bytes = settings.edge.body_limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http" or not speaks_rpc(scope["path"]) or BATCH_HEADER not in of(scope).headers:
            await self._app(scope, receive, send)
            return
        exchange = of(scope)
        try:
            items = await self._items(exchange, scope, receive)
        except ApiError as error:
            refused = refusing(error, scope)
            exchange.path = refused["path"]
            await self._app(refused, receive, send)
            return
        exchange.route = ROUTE
        if exchange.headers[BATCH_HEADER] == "buffered":
            await self._buffered(items, scope, send)
        else:
            await self._streamed(items, scope, send)

    async def _items(self, exchange: Exchange, scope: Scope, receive: Receive) -> list[msgspec.Raw]:
        if exchange.method == "GET":
            raw = parameter(scope["query_string"], "batch").encode()
        else:
            parameter(scope["query_string"], None)
            if not is_json(exchange.headers.get("content-type", "")):
                raise ApiError("UNSUPPORTED_MEDIA_TYPE", "Send the batch as application/json.")
            raw = await read_bytes(receive, self._limit_bytes)
        try:
            items = _parts.decode(raw)
        except _MALFORMED as error:
            raise invalid("batch", "expected an array of calls") from error
        if not items:
            raise invalid("batch", "expected at least one call")
        if len(items) > MOST_PARTS:
            raise ApiError("PAYLOAD_TOO_LARGE", f"A batch may have {MOST_PARTS} calls.")
        return items

    async def _buffered(self, items: list[msgspec.Raw], scope: Scope, send: Send) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._call(index, item, scope)) for index, item in enumerate(items)]
        body = b"[%b]" % b",".join(task.result() for task in tasks)
        await send_bytes(send, _STATUS, body, pretty=of(scope).pretty)

    async def _streamed(self, items: list[msgspec.Raw], scope: Scope, send: Send) -> None:
        await send({"type": "http.response.start", "status": _STATUS, "headers": list(STREAM_HEADERS)})
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._call(index, item, scope)) for index, item in enumerate(items)]
            for ready in asyncio.as_completed(tasks):
                line = (await ready).replace(b"\n", b"\ndata: ")
                frame = b"event: message\ndata: %b\n\n" % line
                await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b"event: done\n\n"})

    async def _call(self, index: int, raw: msgspec.Raw, batch: Scope) -> bytes:
        """Return the answer of one part; a bad part is refused by itself, and counted like any."""
        body = b""
        try:
            item = read_item(raw)
            scope = scope_of(item, batch, f"{of(batch).request_id[:_ID_LENGTH]}-{index}")
            body = bytes(item.body) if isinstance(item.body, msgspec.Raw) else b""
        except ApiError as error:
            scope = refusing(error, batch)
        answer = Answer(index)
        await self._part(scope, body_of(body), answer.take)
        return answer.line()


def refusing(error: ApiError, scope: Scope) -> Scope:
    """Return a request that ends in an error below all layers, so that it is dressed and counted like any other."""
    prefix = scope["path"].partition(PREFIX)[0]
    return {**scope, "path": prefix + ROUTE, _REFUSAL: error}


async def refuse(scope: Scope, _receive: Receive, _send: Send) -> None:
    """Raise what a batch or a part of it is refused with."""
    raise scope.get(_REFUSAL) or invalid(BATCH_HEADER, "the header must say that this is a batch")


def body_of(body: bytes) -> Receive:
    """Return the reading end of a request whose body is there; it never leaves."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop()

    return receive
