"""Multipart bodies are read within their bounds, and streams are framed as SSE asks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from reference_impl.contract.event import Event
from reference_impl.contract.upload import Upload
from reference_impl.edge.multipart import FRAME_BYTES, MultipartReader
from reference_impl.edge.stream import frame, send_events
from reference_impl.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KIND = "multipart/form-data; boundary=b"


class Form(msgspec.Struct, forbid_unknown_fields=True):
    """A file and a number beside it."""

    image: Upload
    position: int = 0


def part(name: str, data: bytes, filename: str = "") -> bytes:
    """The bytes of one part."""
    told = f'; filename="{filename}"' if filename else ""
    return f'--b\r\ncontent-disposition: form-data; name="{name}"{told}\r\n\r\n'.encode() + data + b"\r\n"


def read(body: bytes, kind: str | None = KIND, limit_bytes: int = 1000) -> Any:
    """What the reader makes of a body that comes in three pieces."""
    pieces = [body[: len(body) // 3], body[len(body) // 3 : -1], body[-1:]]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    return asyncio.run(MultipartReader(Form, limit_bytes).read(kind, receive))


def test_a_file_and_a_field_are_read() -> None:
    """Bytes come whole, text becomes what the type asks for."""
    form = read(part("image", b"\x00\xff\r\n", "a.png") + part("position", b"3") + b"--b--\r\n")
    assert form == Form(Upload("a.png", "", b"\x00\xff\r\n"), 3)


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (part("image", b"x", "a") + b"--b--\r\n", None, "UNSUPPORTED_MEDIA_TYPE"),
        (part("image", b"x", "a") + b"--b--\r\n", "application/json", "UNSUPPORTED_MEDIA_TYPE"),
        (part("image", b"x", "a") + b"--b--\r\n", "multipart/form-data", "VALIDATION_ERROR"),
        (part("image", b"x") + b"--b--\r\n", KIND, "VALIDATION_ERROR"),
        (part("image", b"x", "a") * 2 + b"--b--\r\n", KIND, "VALIDATION_ERROR"),
        (part("position", b"1") + b"--b--\r\n", KIND, "VALIDATION_ERROR"),
        (part("image", b"x", "a") + part("position", b"one") + b"--b--\r\n", KIND, "VALIDATION_ERROR"),
        (part("image", b"x", "a") + part("more", b"1") + b"--b--\r\n", KIND, "VALIDATION_ERROR"),
        (b"no boundary at all, " * 3, KIND, "VALIDATION_ERROR"),
        (part("image", b"x" * (FRAME_BYTES + 1001), "a") + b"--b--\r\n", KIND, "PAYLOAD_TOO_LARGE"),
    ],
)
def test_a_body_that_does_not_fit_is_refused(body: bytes, kind: str | None, code: str) -> None:
    """Another type, no boundary, text for a file, a part twice, missing, wrong, unknown or too large: one refusal."""
    with pytest.raises(ApiError) as refused:
        read(body, kind)
    assert refused.value.code == code


def test_a_frame_has_id_event_and_data() -> None:
    """The data are one line of JSON."""
    assert frame(Event("7", "created", {"a": "b\nc"})) == b'id: 7\nevent: created\ndata: {"a":"b\\nc"}\n\n'


def test_a_stream_ends_with_its_events_and_closes_them() -> None:
    """Every event is sent in order, then the body ends and the iterator is closed."""
    closed: list[bool] = []
    sent: list[dict[str, Any]] = []

    async def events() -> AsyncIterator[Event]:
        try:
            yield Event("1", "a", 1)
            yield Event("2", "b", 2)
        finally:
            closed.append(True)

    async def receive() -> dict[str, Any]:
        return await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(send_events(receive, send, events(), heartbeat_s=60))
    bodies = [message["body"] for message in sent[2:]]
    assert bodies == [frame(Event("1", "a", 1)), frame(Event("2", "b", 2)), b""]
    assert sent[-1]["more_body"] is False
    assert closed == [True]


def test_a_client_that_leaves_ends_the_stream() -> None:
    """Nothing is awaited for ever once the connection is closed."""
    closed: list[bool] = []

    async def events() -> AsyncIterator[Event]:
        try:
            await asyncio.get_running_loop().create_future()
            yield Event("1", "a", 1)
        finally:
            closed.append(True)

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None:
        return

    asyncio.run(asyncio.wait_for(send_events(receive, send, events(), heartbeat_s=60), 5))
    assert closed == [True]
