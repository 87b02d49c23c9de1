"""A file within a multipart body."""

from __future__ import annotations


class Upload:
    """One part that is a file: what the client calls it, what it says it is, and its bytes. Only the bytes count.

    No dataclass: msgspec would read one from any JSON object and describe it as one.
    """

    __slots__ = ("content_type", "data", "name")

    def __init__(self, name: str, content_type: str, data: bytes) -> None:
        self.name = name
        self.content_type = content_type
        self.data = data
