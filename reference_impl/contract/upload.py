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

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Upload) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Upload({self.name!r}, {self.content_type!r}, {len(self.data)} bytes)"

    def _key(self) -> tuple[str, str, bytes]:
        return (self.name, self.content_type, self.data)
