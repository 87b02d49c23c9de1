"""Form bodies: multipart/form-data (RFC 7578) and application/x-www-form-urlencoded, from the values of a schema.

A member of format `binary`, or with a `contentMediaType` or an `encoding` of its own, is sent as a file: a small real
one of the media type that the document asks for, so that an API that looks into it finds what it expects.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from harness.contract import picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from random import Random

    from harness.contract.contract import Contract
    from harness.contract.operation import Body

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"
FORMS = frozenset({MULTIPART, URLENCODED})
_SIDE_PIXELS = 16
_FILE = re.compile(rb'filename="[^"\r\n]*"\r\n(?:[^\r\n]+\r\n)*\r\n')
_JPEG = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8"
    "ybqmx5moq6T/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AP//Z"
)
_WEBP = "UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoIAAgAAUAmJaQAA3AA/v0gUAA="
_PDF = b"%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"


def encoded(contract: Contract, body: Body, value: Mapping[str, Any], random: Random) -> tuple[str, bytes]:
    """The content type and the bytes of a form that holds the members of `value`."""
    if body.media_type.lower() == URLENCODED:
        pairs = [(name, _text(item)) for name, member in value.items() for item in _items(member)]
        return URLENCODED, urlencode(pairs).encode()
    boundary = f"form{random.getrandbits(96):024x}"
    parts = b"".join(part for part in _parts(contract, body, value, random, boundary))
    return f"{MULTIPART}; boundary={boundary}", parts + f"--{boundary}--\r\n".encode()


def _parts(contract: Contract, body: Body, value: Mapping[str, Any], random: Random, boundary: str) -> Iterator[bytes]:
    properties = contract.schema(body.schema).get("properties", {})
    for name, member in value.items():
        schema = contract.schema(properties.get(name))
        items = contract.schema(schema.get("items")) if schema.get("type") == "array" else schema
        asked = _media_type(items, body.encoding.get(name, {}))
        for item in _items(member):
            label = f'form-data; name="{_quoted(name)}"'
            if asked:
                file_name, kind, data = file(asked, random)
                label += f'; filename="{file_name}"'
            else:
                kind, data = ("application/json" if isinstance(item, dict | list) else ""), _text(item).encode()
            typed = f"Content-Type: {kind}\r\n" if kind else ""
            yield f"--{boundary}\r\nContent-Disposition: {label}\r\n{typed}\r\n".encode() + data + b"\r\n"


def file_of(content_type: str, body: bytes) -> tuple[int, int] | None:
    """Where the bytes of the first file of a multipart body begin and end; None where it has none."""
    told = content_type.partition("boundary=")[2].encode()
    head = _FILE.search(body) if told else None
    if head is None:
        return None
    end = body.find(b"\r\n--" + told, head.end() - 2)
    return None if end < 0 else (head.end(), max(end, head.end()))


def with_file(content_type: str, body: bytes, data: bytes, *, kind: str = "", name: str = "") -> bytes | None:
    """The multipart body with other bytes in its first file, under another type and name where one is given."""
    place, head = file_of(content_type, body), _FILE.search(body)
    if place is None or head is None:
        return None
    label = head[0]
    if name:
        label = re.sub(rb'filename="[^"]*"', b'filename="%s"' % name.encode(), label)
    if kind:
        label = re.sub(rb"(?i)(Content-Type: *)[^\r\n]+", rb"\g<1>%s" % kind.encode(), label)
    return body[: head.start()] + label + data + body[place[1] :]


def asked_of(contract: Contract, body: Body) -> str:
    """The media types that the first file of a multipart body may have, as they are declared; empty without a file."""
    members = contract.schema(body.schema).get("properties", {}) if body.media_type.lower() == MULTIPART else {}
    for name, member in members.items():
        schema = contract.schema(member)
        items = contract.schema(schema.get("items")) if schema.get("type") == "array" else schema
        if asked := _media_type(items, body.encoding.get(name, {})):
            return asked
    return ""


def _media_type(schema: Mapping[str, Any], encoding: Mapping[str, Any]) -> str:
    """The media types that a member's file may have; empty where the member is no file."""
    told = str(encoding.get("contentType") or schema.get("contentMediaType") or "")
    if schema.get("format") == "binary":
        return told or "application/octet-stream"
    return "" if told.split(";", maxsplit=1)[0] in {"", "text/plain", "application/json"} else told


def file(media_types: str, random: Random) -> tuple[str, str, bytes]:
    """A small file of the first of these media types that can be made: its name, its media type and its bytes.

    `image/*` is a PNG; a type that nothing is known of gets bytes that mean nothing.
    """
    asked = [kind.split(";")[0].strip().lower() for kind in media_types.split(",")]
    makers: dict[str, tuple[str, Any]] = {
        "image/png": ("png", lambda: picture.png(_SIDE_PIXELS, _SIDE_PIXELS, shade=random.randrange(256))),
        "image/jpeg": ("jpg", lambda: base64.b64decode(_JPEG)),
        "image/webp": ("webp", lambda: base64.b64decode(_WEBP)),
        "application/pdf": ("pdf", lambda: _PDF),
        "application/json": ("json", lambda: b"{}"),
        "text/csv": ("csv", lambda: b"name,value\na,%d\n" % random.randrange(1000)),
        "text/plain": ("txt", lambda: b"text %d\n" % random.randrange(10**6)),
    }
    for wanted in asked:
        for kind, (suffix, make) in makers.items():
            if wanted == kind or (wanted.endswith("/*") and kind.startswith(wanted[:-1])):
                return f"file.{suffix}", kind, make()
    unknown = next((kind for kind in asked if "*" not in kind), "application/octet-stream")
    return "file.bin", unknown, random.randbytes(64)


def _items(member: Any) -> list[Any]:
    return member if isinstance(member, list) else [member]


def _text(item: Any) -> str:
    return item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)


def _quoted(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
