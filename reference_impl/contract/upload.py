"""A file within a multipart body."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Upload:
    """One part that is a file: what the client calls it, what it says it is, and its bytes. Only the bytes count."""

    name: str
    content_type: str
    data: bytes
