"""Pictures that strangers send: known by their bytes, bounded before they are decoded, written anew as JPEG."""

from __future__ import annotations

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from reference_impl.errors import ApiError, invalid, unavailable

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
PIXELS = 25_000_000
SIDE = 16_384
INSIDE = 1200
THUMBNAIL = 300
# Each scan of a progressive JPEG is work over all its pixels; honest encoders write about ten.
_SCANS = 100
_QUALITY = 85
_SPARE = 4 / 3
# Made for shrinking: as good as bicubic there, at two thirds of its cost and at half of Lanczos's.
_FILTER = Image.Resampling.HAMMING
_WHITE = (255, 255, 255)
_THREADS = 2
_WAITING = 16
# The bound is ours and checked before anything is decoded; Pillow's own is a warning at four times as much.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture as two JPEG files: at most 1200 pixels a side, and a square of 300 that it covers."""

    full: bytes
    thumbnail: bytes


class Pictures:
    """Reads pictures on threads of their own, a few at a time, so that the event loop goes on."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "picture")
        self._waiting = 0
        self._picture_of = picture_of

    async def read(self, data: bytes) -> Picture:
        """Return what `picture_of` returns; UNAVAILABLE when too many wait already."""
        if self._waiting >= _WAITING:
            raise unavailable("Too many pictures at once: send it again.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._picture_of, data)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the threads; what waits is not begun."""
        self._threads.shutdown(cancel_futures=True)


def picture_of(data: bytes) -> Picture:
    """Read a JPEG, PNG, WebP or GIF (its first frame) and write it anew, upright and without metadata.

    UNSUPPORTED_MEDIA_TYPE for other bytes, VALIDATION_ERROR for a picture that is broken, cut off or too large.
    """
    if not known(data):
        raise ApiError("UNSUPPORTED_MEDIA_TYPE", "image: it must be a JPEG, PNG, WebP or GIF picture.")
    try:
        with Image.open(BytesIO(data), formats=tuple(FORMATS)) as opened:
            bound(opened, data)
            return drawn(opened)
    except ApiError:
        raise
    except Exception as error:  # decoders fail in many types; each means that the bytes are no whole picture
        raise invalid("image", "it is broken or cut off") from error


def known(data: bytes) -> bool:
    """Say whether the first bytes are those of a format that is read here."""
    riff = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    return riff or data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a"))


def bound(opened: ImageFile, data: bytes) -> None:
    """VALIDATION_ERROR when the header tells of more than is decoded here; nothing is decoded yet."""
    width, height = opened.size
    if width * height > PIXELS or max(width, height) > SIDE:
        raise invalid("image", f"it has {width} x {height} pixels: at most {PIXELS} and {SIDE} a side are read")
    if opened.format == "JPEG" and data.count(b"\xff\xda") > _SCANS:
        raise invalid("image", f"it has more than {_SCANS} scans")


def _upright(opened: ImageFile) -> Image.Image:
    """Decode, at most 1200 pixels a side, turned as its EXIF orientation says, without transparency."""
    # JPEG decodes to a half, a quarter or an eighth at a fraction of the work; what is left to shrink keeps it sharp.
    least = _SPARE * INSIDE / max(opened.size)
    opened.draft("RGB", (math.ceil(least * opened.width), math.ceil(least * opened.height)))
    opened.load()
    decoded: Image.Image = opened
    if decoded.mode.startswith("I"):  # 16 bits a pixel
        decoded = decoded.convert("I").point(lambda level: level * (1 / 256)).convert("L")
    if decoded.mode in {"P", "PA", "LA"} or "transparency" in decoded.info:
        decoded = decoded.convert("RGBA")
    decoded.thumbnail((INSIDE, INSIDE), _FILTER, reducing_gap=2.0)
    turned = ImageOps.exif_transpose(decoded)
    # A new image: comments, profiles and the like stay with the old one.
    plain = Image.new("RGB", turned.size, _WHITE)
    plain.paste(turned.convert("RGB"), mask=turned.getchannel("A") if turned.mode == "RGBA" else None)
    return plain


def drawn(opened: ImageFile) -> Picture:
    """Decode a picture and write it anew as the two files."""
    plain = _upright(opened)
    square = ImageOps.fit(plain, (THUMBNAIL, THUMBNAIL), _FILTER)
    return Picture(_jpeg(plain), _jpeg(square))


def _jpeg(plain: Image.Image) -> bytes:
    file = BytesIO()
    plain.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
