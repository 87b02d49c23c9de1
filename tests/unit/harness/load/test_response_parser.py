"""Responses cut anywhere, responses that end early, and bytes that are none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.response_parser import ResponseError, ResponseParser

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nX-Trailer: t\r\n\r\n"
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"


def parse(*parts: bytes, head_only: bool = False, max_body_bytes: int = 1000) -> ResponseParser:
    """A parser that was fed the parts of one response."""
    parser = ResponseParser(max_body_bytes)
    parser.begin(head_only=head_only)
    for part in parts:
        parser.feed(part)
    return parser


@given(st.sampled_from([PLAIN, CHUNKED, INTERIM + PLAIN]), st.lists(st.integers(0, 120), max_size=8))
def test_where_the_network_cuts_does_not_matter(response: bytes, cuts: list[int]) -> None:
    """However the bytes come, the response is the same."""
    edges = [0, *sorted(min(cut, len(response)) for cut in cuts), len(response)]
    parser = parse(*(response[a:b] for a, b in pairwise(edges)))
    assert (parser.complete, parser.keep, parser.body) == (True, True, b"hello")
    assert parser.status in {200, 201}


def test_one_parser_reads_one_response_after_another() -> None:
    """Nothing of a response is left for the next on its connection."""
    parser = parse(PLAIN)
    assert (b"X-A", b"b") in parser.headers
    parser.begin(head_only=False)
    parser.feed(EMPTY)
    assert (parser.status, parser.body, parser.headers) == (204, b"", ())


def test_a_close_ends_a_body_without_a_length() -> None:
    """A body of no stated length is whole when the server closes, and the connection is gone."""
    parser = parse(b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo")
    assert not parser.complete
    parser.end()
    assert (parser.complete, parser.keep, parser.body) == (True, False, b"hello")


@pytest.mark.parametrize("size", range(1, len(PLAIN)))
def test_a_response_that_is_cut_short_is_an_error(size: int) -> None:
    """A close within headers or within a body of stated length is never taken for the whole."""
    parser = parse(PLAIN[:size])
    with pytest.raises(ResponseError, match="closed"):
        parser.end()


def test_the_answer_to_head_has_no_body() -> None:
    """Its headers alone make it whole; the connection is not kept."""
    parser = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", head_only=True)
    assert (parser.complete, parser.keep, parser.body) == (True, False, b"")


def test_connection_close_is_honoured() -> None:
    """The server says that it closes, so the connection is not kept."""
    assert not parse(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").keep


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ((b"garbage\r\n\r\n",), "not an HTTP/1.1 response"),
        ((PLAIN + PLAIN,), "more than one response"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n", b"x" * 2000), "body larger than 1000"),
        ((b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 70_000), "headers larger than"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",), "not an HTTP/1.1 response"),
        ((b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",), "switched protocols"),
    ],
)
def test_what_is_no_single_bounded_response_is_an_error(parts: tuple[bytes, ...], reason: str) -> None:
    """Garbage, a second response, and what is too large each say so."""
    with pytest.raises(ResponseError, match=reason):
        parse(*parts)
