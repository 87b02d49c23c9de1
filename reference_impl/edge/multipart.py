"""Reads multipart/form-data bodies (RFC 7578) into msgspec structs: files as Upload, fields as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from reference_impl.contract.reading import hook, refused
from reference_impl.contract.upload import Upload
from reference_impl.errors import ApiError, invalid

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Receive

_PARTS = 20
_FIELD_BYTES = 65_536
# What headers and boundaries of the parts may add to the files.
FRAME_BYTES = 65_536


class MultipartReader:
    """Reads one body type."""

    def __init__(self, kind: Any, limit_bytes: int) -> None:
        self._kind = kind
        self._limit_bytes = limit_bytes

    async def read(self, content_type: str | None, receive: Receive) -> Any:
        """Return the value; UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE or VALIDATION_ERROR when it does not fit."""
        return self._value(await read_form(content_type, receive, self._limit_bytes))

    def _value(self, members: dict[str, Any]) -> Any:
        for field in msgspec.structs.fields(self._kind):
            if field.type is Upload and isinstance(members.get(field.encode_name), str):
                raise invalid(field.encode_name, "it must be a file: give its part a filename")
        try:
            return msgspec.convert(members, self._kind, dec_hook=hook, strict=False)
        except msgspec.ValidationError as error:
            raise refused(error) from error


async def read_form(content_type: str | None, receive: Receive, limit_bytes: int) -> dict[str, Upload | str]:
    """Return the parts of a body by name, files as Upload; ApiError when it is no form or too large."""
    if content_type is None or content_type.partition(";")[0].strip().lower() != "multipart/form-data":
        raise ApiError("UNSUPPORTED_MEDIA_TYPE", "Send the body as multipart/form-data.")
    parser = MultiPartParser(
        Headers({"content-type": content_type}),
        _bytes(receive, limit_bytes),
        max_files=_PARTS,
        max_fields=_PARTS,
        max_part_size=_FIELD_BYTES,
    )
    parser.spool_max_size = limit_bytes + FRAME_BYTES  # it is read whole: a file on the disk in between gains nothing
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise invalid("body", "it is no well-formed multipart/form-data") from error
    try:
        return await _members(form.multi_items())
    finally:
        await form.close()


async def _bytes(receive: Receive, limit_bytes: int) -> AsyncGenerator[bytes, None]:
    left = limit_bytes + FRAME_BYTES
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise invalid("body", "it ended early")
        chunk = message.get("body", b"")
        left -= len(chunk)
        if left < 0:
            raise ApiError("PAYLOAD_TOO_LARGE", f"A file may have {limit_bytes} bytes.")
        yield chunk
        more = message.get("more_body", False)


async def _members(items: list[tuple[str, UploadFile | str]]) -> dict[str, Upload | str]:
    """Return the parts by name; VALIDATION_ERROR when a name stands twice."""
    members: dict[str, Upload | str] = {}
    for name, item in items:
        if name in members:
            raise invalid(name[:80], "it may stand once only")
        if "\0" in name or (isinstance(item, str) and "\0" in item):
            raise invalid(name[:80].replace("\0", "?"), "it holds U+0000, which no text may")
        if isinstance(item, UploadFile):
            members[name] = Upload(item.filename or "", item.content_type or "", await item.read())
        else:
            members[name] = item
    return members
