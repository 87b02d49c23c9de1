"""A picture of one colour in any size, packed row by row: its file stays small, and so does the making of it."""

from __future__ import annotations

import zlib
from functools import lru_cache

EIGHT_BITS_PIXELS = 64_000_000
MOST_PIXELS = 512_000_000
_GREY = bytes([0, 0, 0, 0])


@lru_cache(maxsize=4)
def png(width: int, height: int, *, shade: int = 0, rows: int | None = None) -> bytes:
    """A grey picture (PNG, third edition), with 8 bits a pixel up to 64 megapixels and one beyond.

    With `rows` it has so many rows, and its header tells of `height` all the same.
    """
    bits = 8 if width * height <= EIGHT_BITS_PIXELS else 1
    row = b"\0" + bytes([shade]) * -(-width * bits // 8)
    pack = zlib.compressobj(9)
    packed = [pack.compress(row) for _ in range(height if rows is None else rows)]
    header = width.to_bytes(4) + height.to_bytes(4) + bytes([bits]) + _GREY
    chunks = ((b"IHDR", header), (b"IDAT", b"".join(packed) + pack.flush()), (b"IEND", b""))
    parts = [len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4) for kind, data in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
