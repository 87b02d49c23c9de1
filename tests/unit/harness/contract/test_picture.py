"""Pictures of one colour: another reader sees what their headers tell, and their files are small."""

from __future__ import annotations

import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from harness.contract.picture import EIGHT_BITS_PIXELS, MOST_PIXELS, png


@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 255))
def test_a_picture_has_its_size_and_shade(width: int, height: int, shade: int) -> None:
    """It is read whole, all of it in its shade."""
    with Image.open(io.BytesIO(png(width, height, shade=shade))) as opened:
        opened.load()
        assert opened.size == (width, height)
        assert opened.getextrema() == (shade, shade)


def test_a_header_may_tell_of_more_rows_than_there_are() -> None:
    """Its size is the one that is told; what is there is less."""
    with Image.open(io.BytesIO(png(5001, 5001, rows=1))) as opened:
        assert opened.size == (5001, 5001)
    assert len(png(5001, 5001, rows=1)) < 200


@pytest.mark.parametrize("pixels", [25_000_000, EIGHT_BITS_PIXELS, 4 * EIGHT_BITS_PIXELS, MOST_PIXELS])
def test_the_file_is_small_and_so_is_its_making(pixels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousandth of what it is decoded into, or less, made in a fraction of that."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    side = int(pixels**0.5)
    png.cache_clear()
    tracemalloc.start()
    made = png(side, side)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(made) < 100_000
    assert peak_bytes < 4_000_000
    assert Image.open(io.BytesIO(made), formats=("PNG",)).size == (side, side)
