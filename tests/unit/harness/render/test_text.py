from __future__ import annotations

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from harness.render.text import ascii_only, clipped, counted, one_line, printable, shown_body

ANY = st.text(st.characters(), max_size=80)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(ANY)
def test_printable_text_has_no_control_characters(text: str) -> None:
    """Nothing is left that moves a cursor, turns a line round or is no character at all."""
    shown = printable(text)
    assert not [item for item in shown if unicodedata.category(item) in {"Cc", "Cs", "Zl", "Zp"} and item not in "\n\t"]
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
    assert printable(shown) == shown


@given(ANY)
def test_one_line_is_one_line(text: str) -> None:
    """No line break is left, of whatever kind."""
    assert len(one_line(text).splitlines()) <= 1


@given(ANY, st.integers(min_value=1, max_value=90))
def test_clipped_text_keeps_its_limit(text: str, limit: int) -> None:
    """The text is whole or says by an ellipsis that it is not."""
    shown = clipped(text, limit)
    assert shown == text or (len(shown) == limit and shown.endswith("…"))


@given(ANY)
def test_ascii_text_grows_by_nothing(text: str) -> None:
    """One character stays one or goes away, so that a line keeps its width."""
    shown = ascii_only(text)
    assert shown.isascii()
    assert len(shown) <= len(text)


@given(JSON.filter(lambda value: isinstance(value, list | dict)))
def test_indented_json_means_the_same(value: object) -> None:
    """JSON is indented by its tokens alone and reads back as what it was."""
    body = json.dumps(value)
    shown, note = shown_body(body.encode(), 100_000)
    assert json.loads(shown) == value
    assert note == counted(len(body), "byte")


@given(st.binary(min_size=1, max_size=300), st.integers(min_value=64, max_value=400))
def test_any_body_can_be_shown(body: bytes, limit: int) -> None:
    """Every body has a text of bounded size and a note with its true size."""
    shown, note = shown_body(body, limit)
    assert len(shown) <= 40 * limit
    assert counted(len(body), "byte") in note


def test_a_cut_body_says_so() -> None:
    """What is left out is counted, and double members stay visible."""
    assert shown_body(b'{"a":1,"a":2}', 8) == ('{\n  "a": 1,\n  "', "13 bytes, 5 more characters in the history")
    assert shown_body(b"", 8) == ("", "")
    assert shown_body(None, 8) == ("", "")


def test_a_binary_body_is_a_hex_dump() -> None:
    """What is no text is shown as bytes."""
    assert shown_body(b"\xffab\n", 100) == ("000000  ff 61 62 0a" + " " * 37 + " .ab.", "binary, 4 bytes")
