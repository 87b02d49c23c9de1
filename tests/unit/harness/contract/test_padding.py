"""Files that are made longer: as long as asked for, and read as before by another reader."""

from __future__ import annotations

import json
from io import BytesIO
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from harness.contract.form import file
from harness.contract.padding import CHUNK_BYTES, SEGMENT_BYTES, padded

MORE = st.one_of(
    st.integers(12, 5_000),
    st.integers(-40, 40).map(lambda more: SEGMENT_BYTES + more),
    st.integers(-40, 40).map(lambda more: CHUNK_BYTES + more),
    st.integers(-40, 40).map(lambda more: 2 * CHUNK_BYTES + more),
)


@given(kind=st.sampled_from(["image/png", "image/jpeg"]), more=MORE)
def test_a_picture_keeps_its_pixels(kind: str, more: int) -> None:
    """Whatever its length, it has exactly the bytes asked for and shows the same."""
    _, _, short = file(kind, Random(1))
    long = padded(short, len(short) + more, {kind})
    assert long is not None
    assert len(long) == len(short) + more
    with Image.open(BytesIO(long)) as after, Image.open(BytesIO(short)) as before:
        assert after.tobytes() == before.tobytes()


@given(more=st.integers(0, 5_000))
def test_json_keeps_its_value(more: int) -> None:
    """White space after it is none of it."""
    long = padded(b"{}", 2 + more, {"application/json"})
    assert long is not None
    assert (len(long), json.loads(long)) == (2 + more, {})


@given(kind=st.sampled_from(["image/webp", "application/pdf", "text/csv", "video/mp4"]), more=st.integers(1, 99))
def test_a_format_without_room_is_not_guessed(kind: str, more: int) -> None:
    """None is made of what may not be read any more, nor of what is too long already or lacks room for a chunk."""
    _, _, short = file(kind, Random(1))
    assert padded(short, len(short) + more, {kind}) is None
    assert padded(short, len(short) - 1, {kind}) is None
    assert padded(short, len(short), {kind}) == short


@pytest.mark.parametrize("more", range(1, 12))
def test_there_is_no_chunk_of_less_than_its_frame(more: int) -> None:
    """A PNG grows by twelve bytes or not at all."""
    _, _, short = file("image/png", Random(1))
    assert padded(short, len(short) + more, {"image/png"}) is None
