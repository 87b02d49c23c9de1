"""Accept and Accept-Encoding choose what the client prefers among what is served."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impl.edge.preferences import CODINGS, accepts, coding, refuses_identity

WEIGHTS = st.sampled_from(["", ";q=0", ";q=0.5", ";q=1", "; Q=0.2", ";q=x", ";q=2"])
NAMES = st.sampled_from([*CODINGS, "identity", "*", "deflate", "x-gzip", ""])
HEADERS = st.lists(st.tuples(NAMES, WEIGHTS).map("".join)).map(", ".join)


@given(HEADERS)
def test_a_coding_that_is_refused_is_never_chosen(header: str) -> None:
    """Whatever the header says, what is chosen has a weight above 0, or nothing was left to choose."""
    chosen = coding(header)
    refused = {part.split(";")[0].strip() for part in header.lower().split(",") if part.strip().endswith(";q=0")}
    listed = [part.split(";")[0].strip() for part in header.lower().split(",")]
    assert chosen in {*CODINGS, "identity", None}
    if chosen in CODINGS and listed.count(chosen) == 1 and "x-gzip" not in listed:
        assert chosen not in refused
    assert chosen is not None or refuses_identity(header)


@given(st.text(max_size=50))
def test_any_text_is_read(header: str) -> None:
    """No header is too strange to be answered."""
    assert coding(header) in {*CODINGS, "identity", None}
    assert accepts(header, "application/json") in {True, False}


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip, br", "br"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("deflate", "identity"),
        ("*", "gzip"),
        ("gzip;q=0, *", "identity"),
        ("identity;q=1, gzip;q=0.5", "identity"),
        ("identity;q=0", None),
        ("identity;q=0, gzip", "gzip"),
        ("*;q=0", None),
        ("*;q=0, identity", "identity"),
    ],
)
def test_the_coding_is_the_one_preferred(header: str | None, chosen: str | None) -> None:
    """Weights decide, then our order; identity is there unless it is refused."""
    assert coding(header) == chosen


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("", True),
        ("*/*", True),
        ("application/*", True),
        ("application/json;q=0.1", True),
        ("text/html, */*;q=0.8", True),
        ("text/html", False),
        ("application/json;q=0, */*", False),
        ("*/*;q=0", False),
        ("APPLICATION/JSON; charset=utf-8", True),
    ],
)
def test_the_closest_media_range_decides(header: str, taken: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """A type named with weight 0 is refused though everything is taken."""
    assert accepts(header, "application/json") is taken
