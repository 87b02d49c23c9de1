"""One call within a batch: what its item says, as a request of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import UNSET, UnsetType

from reference_impl.contract.reading import refuse_twice, refused
from reference_impl.errors import invalid
from reference_impl.rpc.failures import speaks_rpc
from reference_impl.rpc.transport import PART

if TYPE_CHECKING:
    from starlette.types import Scope

BATCH_HEADER = "x-orpc-batch"
_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# What no page may set (Fetch, "forbidden request-header"), nor a client that stands behind a proxy.
_NOT_OURS = re.compile(
    r"accept-(charset|encoding)|access-control-.*|connection|content-.*|cookie2?|date|dnt|expect|host|keep-alive|origin"
    r"|referer|set-cookie|te|trailer|transfer-encoding|upgrade|via|proxy-.*|sec-.*|forwarded|x-forwarded-.*|x-real-ip"
    rf"|{BATCH_HEADER}"
)
# What the batch says of itself and not of its parts.
_OF_THE_BATCH = re.compile(rf"content-.*|transfer-encoding|accept-encoding|expect|x-request-id|{BATCH_HEADER}")

# What the answer of a part does not repeat: it stands on the batch, or is no page's to read.
_SILENT = frozenset(
    {
        "set-cookie",
        "content-length",
        "content-type",
        "content-encoding",
        "x-content-type-options",
        "x-frame-options",
        "referrer-policy",
        "content-security-policy",
        "strict-transport-security",
    }
)


class Item(msgspec.Struct, forbid_unknown_fields=True):
    """An item of a batch as BatchLinkPlugin of @orpc/client 1.16 writes it; what is absent is the batch's."""

    url: str
    method: str | UnsetType = UNSET
    headers: dict[str, str | list[str] | None] | UnsetType = UNSET
    body: msgspec.Raw | UnsetType = UNSET


_item = msgspec.json.Decoder(Item)


def read_item(raw: msgspec.Raw) -> Item:
    """Return an item; VALIDATION_ERROR when it is none."""
    try:
        item = _item.decode(raw)
    except msgspec.ValidationError as error:
        raise refused(error) from error
    refuse_twice(bytes(raw))
    return item


def scope_of(item: Item, batch: Scope, request_id: str) -> Scope:
    """Return the item's request as one of its own; VALIDATION_ERROR when it may not be one."""
    method = batch["method"] if item.method is UNSET else item.method
    if batch["method"] == "GET" and method != "GET":
        raise invalid("method", "a batch that is sent by GET only reads")
    try:
        url = urlsplit(item.url)
        path = unquote(url.path, errors="strict")
        query = url.query.encode("ascii")
    except ValueError as error:
        raise invalid("url", "it is no URL") from error
    if not speaks_rpc(path):
        raise invalid("url", "a batch calls procedures under /api/rpc/ only")
    return {
        **batch,
        "method": method,
        "path": path,
        "raw_path": url.path.encode("ascii", "replace"),
        "query_string": query,
        "headers": _headers(item, batch, request_id),
        PART: True,
    }


def _headers(item: Item, batch: Scope, request_id: str) -> list[tuple[bytes, bytes]]:
    own = [] if item.headers is UNSET else [pair for entry in item.headers.items() for pair in _pairs(*entry)]
    named = {name for name, _ in own}
    found = [
        (name, value)
        for name, value in batch["headers"]
        if name not in named and not _OF_THE_BATCH.fullmatch(name.decode("latin-1"))
    ]
    found += own
    if b"x-request-id" not in named:
        found.append((b"x-request-id", request_id.encode()))
    if item.body is not UNSET:
        found.append((b"content-type", b"application/json"))
    return found


def _pairs(name: str, value: str | list[str] | None) -> list[tuple[bytes, bytes]]:
    name = name.lower()
    values = [value] if isinstance(value, str) else value or []
    if not _NAME.fullmatch(name) or not all(map(_VALUE.fullmatch, values)):
        raise invalid("headers", "expected names and values of HTTP")
    if _NOT_OURS.fullmatch(name):
        raise invalid("headers", f"a part of a batch cannot set {name}")
    return [(name.encode(), text.encode("latin-1")) for text in values]


class Answer:
    """Gathers what the application sends for one part."""

    def __init__(self, index: int) -> None:
        self._index = index
        self._status = 0
        self._headers: dict[str, str | list[str]] = {}
        self._body = bytearray()

    async def take(self, message: Any) -> None:
        """Take one ASGI message."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            for raw_name, raw_value in message["headers"]:
                self._add(raw_name.decode("latin-1").lower(), raw_value.decode("latin-1"))
        else:
            self._body += message.get("body", b"")

    def _add(self, name: str, value: str) -> None:
        # A cookie in a body would be in a page's hands; the rest stands on the batch or says how bytes are sent.
        if name in _SILENT:
            return
        seen = self._headers.get(name)
        if seen is None:
            self._headers[name] = value
        else:
            self._headers[name] = [*([seen] if isinstance(seen, str) else seen), value]

    def line(self) -> bytes:
        """Return the item of the batch's answer as JSON."""
        item: dict[str, Any] = {"index": self._index, "status": self._status, "headers": self._headers}
        if self._body:
            item["body"] = msgspec.Raw(bytes(self._body))
        return msgspec.json.encode(item)
