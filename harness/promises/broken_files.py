"""A form whose file is none: what cases send to see whether bytes are looked at, and what a refusal leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.contract.form import file_of, with_file
from harness.exchange import header

if TYPE_CHECKING:
    from harness.exchange import Request


def data(request: Request) -> bytes | None:
    """The bytes of the first file of a form; None where it has none."""
    body = request.body or b""
    place = file_of(header(request.headers, "Content-Type") or "", body)
    return None if place is None else body[place[0] : place[1]]


def holding(request: Request, file: bytes, *, kind: str = "", name: str = "") -> Request:
    """The request with these bytes for its first file; itself where it has none."""
    body = with_file(header(request.headers, "Content-Type") or "", request.body or b"", file, kind=kind, name=name)
    return request if body is None else replace(request, body=body)


def parts(whole: bytes) -> dict[str, bytes]:
    """A text, half of a file, its first bytes, and nothing."""
    return {"text": b"no such file", "half": whole[: len(whole) // 2], "begun": whole[:8], "empty": b""}


def of(request: Request) -> dict[str, Request]:
    """The request with each of these for its first file; none where it has no file."""
    whole = data(request)
    return {} if whole is None else {name: holding(request, file) for name, file in parts(whole).items()}
