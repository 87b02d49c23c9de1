"""Pictures: known by their bytes, bounded before they are decoded, and nothing of the old file stays."""

from __future__ import annotations

import asyncio
import zlib
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from reference_impl import pictures
from reference_impl.errors import ApiError
from reference_impl.pictures import Pictures, picture_of

FORMATS = ["JPEG", "PNG", "WEBP", "GIF"]
ORIENTATION = 0x0112


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """A picture's file."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(file: bytes) -> Image.Image:
    """A file as a picture."""
    return Image.open(BytesIO(file))


def refusal(data: bytes) -> ApiError:
    """What is said about a file that is no picture."""
    with pytest.raises(ApiError) as refused:
        picture_of(data)
    return refused.value


def png_that_says(width: int, height: int) -> bytes:
    """A small PNG file whose header tells of a picture of this size, all of one shade."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = width.to_bytes(4) + height.to_bytes(4) + bytes([1, 0, 0, 0, 0])
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    packed = [len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4) for kind, data in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 2600), st.integers(1, 60), st.booleans(), st.sampled_from(FORMATS))
def test_every_picture_becomes_two_bounded_jpegs(long: int, short: int, wide: bool, kind: str) -> None:  # noqa: FBT001 - drawn
    """Inside 1200 pixels in its own proportions, never larger than it was, and a thumbnail of 300 by 300."""
    width, height = (long, short) if wide else (short, long)
    picture = picture_of(encoded(Image.new("RGB", (width, height), "red"), kind))
    full, thumbnail = opened(picture.full), opened(picture.thumbnail)
    assert (full.format, thumbnail.format, thumbnail.size) == ("JPEG", "JPEG", (300, 300))
    scale = min(1, 1200 / max(width, height))
    assert all(abs(got - max(1, side * scale)) <= 1 for got, side in zip(full.size, (width, height), strict=True)), (
        full.size
    )
    red, green, blue = full.convert("RGB").getpixel((0, 0))  # type: ignore[misc] # three bands
    assert red > 240 and green < 16 and blue < 16  # noqa: PT018 - one colour


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_modes_become_rgb_on_white(mode: str) -> None:
    """Grey, palette, sixteen bits and transparency are all shown; what is see-through is white."""
    if mode == "I;16":
        image = Image.new(mode, (8, 8), 0xFFFF)
    else:
        image = Image.new("RGBA", (8, 8), (255, 255, 255, 0)).convert(mode)
    full = opened(picture_of(encoded(image)).full)
    assert (full.mode, full.getpixel((4, 4))) == ("RGB", (255, 255, 255))


def test_the_bound_is_read_from_the_header() -> None:
    """A file of few bytes that tells of 256 megapixels is refused, and no pixel of it is decoded."""
    bomb = png_that_says(16_000, 16_000)
    assert len(bomb) < 200_000
    refused = refusal(bomb)
    assert (refused.code, "16000 x 16000" in refused.message) == ("VALIDATION_ERROR", True)


@pytest.mark.parametrize(("width", "height"), [(25_000_001, 1), (1, 16_385), (5001, 5000)])
def test_pixels_and_sides_are_bounded(width: int, height: int) -> None:
    """One pixel above either bound is refused."""
    assert refusal(png_that_says(width, height)).code == "VALIDATION_ERROR"


def test_the_largest_picture_is_read() -> None:
    """Exactly 25 megapixels pass."""
    assert opened(picture_of(png_that_says(5000, 5000)).full).size == (1200, 1200)


def test_a_jpeg_of_too_many_scans_is_refused() -> None:
    """Each scan is work over all pixels, so their number is bounded before the first is decoded."""
    progressive = encoded(Image.new("RGB", (64, 64), "red"), "JPEG", progressive=True)
    start = progressive.index(b"\xff\xda")
    scan = progressive[start : progressive.index(b"\xff", start + 2)]
    refused = refusal(progressive[:start] + scan * 200 + progressive[start:])
    assert "scans" in refused.message


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FORMATS), st.floats(0, 0.95))
def test_a_file_that_is_cut_off_is_refused(kind: str, part: float) -> None:
    """Wherever the cut is, the picture is broken or no picture at all."""
    noise = Image.effect_noise((48, 32), 80).convert("RGB")
    data = encoded(noise, kind)
    assert refusal(data[: int(len(data) * part)]).code in {"VALIDATION_ERROR", "UNSUPPORTED_MEDIA_TYPE"}


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(FORMATS), st.integers(0, 400), st.binary(min_size=1, max_size=12))
def test_broken_bytes_are_a_refusal_and_never_a_fault(kind: str, at: int, junk: bytes) -> None:
    """Overwritten bytes give a picture or a refusal."""
    data = encoded(Image.effect_noise((24, 24), 80).convert("RGB"), kind)
    broken = data[:at] + junk + data[at + len(junk) :]
    try:
        picture_of(broken)
    except ApiError as refused:
        assert refused.code in {"VALIDATION_ERROR", "UNSUPPORTED_MEDIA_TYPE"}  # noqa: PT017 - either way is right


@pytest.mark.parametrize("data", [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.4", b"BM" * 40])
def test_other_files_are_not_supported(data: bytes) -> None:
    """Text, SVG, PDF and formats that are not read here are told apart from broken pictures."""
    assert refusal(data).code == "UNSUPPORTED_MEDIA_TYPE"


def test_nothing_of_the_old_file_stays() -> None:
    """What hides in or behind a picture (a script, a comment, a place, a profile) is not in what is stored."""
    exif = Image.Exif()
    exif[0x010E] = "SECRET-exif"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "SECRET-text")
    image = Image.new("RGB", (40, 20), "red")
    for data in (
        encoded(image, "PNG", pnginfo=text, exif=exif),
        encoded(image, "JPEG", exif=exif, comment=b"SECRET-comment", icc_profile=b"SECRET-profile" * 20),
        encoded(image, "WEBP", exif=exif, xmp=b"SECRET-xmp"),
        encoded(image, "GIF", comment=b"SECRET-comment"),
    ):
        assert b"SECRET" in data
        picture = picture_of(data + b"<script>SECRET</script>PK\x03\x04")
        assert b"SECRET" not in picture.full + picture.thumbnail
        assert b"script" not in picture.full
        assert not opened(picture.full).getexif()


@pytest.mark.parametrize(("orientation", "size"), [(1, (60, 20)), (3, (60, 20)), (6, (20, 60)), (8, (20, 60))])
def test_the_orientation_is_applied(orientation: int, size: tuple[int, int]) -> None:
    """A picture taken sideways is stored upright."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    assert opened(picture_of(encoded(Image.new("RGB", (60, 20), "red"), "JPEG", exif=exif)).full).size == size


def test_only_the_first_frame_is_shown() -> None:
    """A moving picture is stored as it begins."""
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue", "green")]
    moving = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    red, _, blue = opened(picture_of(moving).full).getpixel((10, 10))  # type: ignore[misc] # three bands
    assert red > 240 > blue


def test_too_many_at_once_are_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few are decoded and a few wait; one more is 503, and there is room again when they are done."""
    data = encoded(Image.new("RGB", (4, 4)))
    monkeypatch.setattr(pictures, "_WAITING", 3)

    async def run() -> None:
        reading = Pictures()
        results = await asyncio.gather(*[reading.read(data) for _ in range(5)], return_exceptions=True)
        codes = [result.code for result in results if isinstance(result, ApiError)]
        assert codes == ["UNAVAILABLE"] * 2
        assert (await reading.read(data)).full
        reading.close()

    asyncio.run(run())
