"""Files made longer without another content, where their format has room for what every reader passes over."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Collection

PNG, JPEG, JFIF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0"
# Readers take a text to its end, and JSON with white space after it (RFC 8259, 2).
TEXTS = {"text/plain", "application/json", "application/octet-stream"}
# Readers refuse one chunk of megabytes, not many that are smaller.
CHUNK_BYTES, SEGMENT_BYTES = 1 << 20, 65_533
# An ancillary chunk of no registered type (PNG, third edition, 5.4), and a comment (JPEG, B.2.4.5).
_PRIVATE, _COMMENT = b"paDd", b"\xff\xfe"
_END_BYTES = 12


def padded(file: bytes, size: int, kinds: Collection[str]) -> bytes | None:
    """The file with exactly `size` bytes; None where it is longer, or its format has no such room.

    `kinds` are the media types that it may have, for files that do not tell by their bytes what they are.
    """
    more = size - len(file)
    if more <= 0:
        return file if more == 0 else None
    if file.startswith(PNG):
        parts = [
            len(text).to_bytes(4) + _PRIVATE + text + crc32(_PRIVATE + text).to_bytes(4)
            for text in _texts(more, CHUNK_BYTES, 12)
        ]
        return _within(file, len(file) - _END_BYTES, parts)
    if file.startswith(JPEG):
        parts = [_COMMENT + (len(text) + 2).to_bytes(2) + text for text in _texts(more, SEGMENT_BYTES, 4)]
        begins = 4 + int.from_bytes(file[4:6]) if file.startswith(JFIF) else 2  # its APP0 comes first
        return _within(file, begins, parts)
    return file + b" " * more if set(kinds) and set(kinds) <= TEXTS else None


def _texts(more: int, most: int, around: int) -> list[bytes]:
    """Spaces that take `more` bytes with `around` more bytes each; none where there is no room for one."""
    found = []
    while more >= around:
        taken = min(more, most + around)
        if 0 < more - taken < around:
            taken -= around
        found.append(b" " * (taken - around))
        more -= taken
    return found


def _within(file: bytes, place: int, parts: list[bytes]) -> bytes | None:
    return file[:place] + b"".join(parts) + file[place:] if parts else None
