"""The mark of a finding is there again, is gone, or the answer tells neither."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.exchange import Exchange, Request, Response
from harness.expected import shown

NO_ALLOW = {"status": [405], "header_absent": "Allow"}
ALLOW = {"status": ["2xx", 405], "allow": {"missing": ["PUT"], "more": ["PATCH"]}}
IN = {"status": ["2xx"], "unclear": [404]}
SAME = {"status": ["2xx"], "body_of": "make"}


def answer(status: int, allow: str = "", body: bytes = b"", operation: str = "one") -> Exchange:
    """One exchange; status 0 is no answer."""
    headers = (("allow", allow),) if allow else ()
    return Exchange(
        "e", Request("GET", "/one", operation), Response(status, headers, body) if status else None, 0, 0, 0
    )


@pytest.mark.parametrize(
    ("expect", "last", "expected"),
    [
        (NO_ALLOW, answer(405), True),
        (NO_ALLOW, answer(405, "GET"), False),
        (NO_ALLOW, answer(404), False),
        (NO_ALLOW, answer(0), None),
        (NO_ALLOW, answer(429), None),
        (NO_ALLOW, answer(503), None),
        (ALLOW, answer(204, "GET, PATCH"), True),
        (ALLOW, answer(204, "GET, PUT, PATCH"), True),
        (ALLOW, answer(405, "GET"), True),
        (ALLOW, answer(204, "get, Put"), False),
        (IN, answer(204), True),
        (IN, answer(401), False),
        (IN, answer(404), None),
        (SAME, answer(200, body=b'{"id": 1}'), True),
        (SAME, answer(200, body=b'{"id": 1, "deleted": true}'), False),
        (SAME, answer(404), False),
        ({"status": [500]}, answer(500), True),
    ],
)
def test_what_the_last_answer_shows(expect: dict[str, Any], last: Exchange, expected: bool | None) -> None:  # noqa: FBT001 - a column
    """Status, header, Allow and body decide; no answer, a 429 and a 5xx decide nothing."""
    assert shown(expect, [answer(201, body=b'{"id": 1}', operation="make"), last]) is expected


@given(st.integers(100, 599), st.lists(st.integers(100, 599) | st.sampled_from(["2xx", "4xx"]), max_size=4))
def test_a_status_that_is_not_the_mark_never_shows_it(status: int, told: list[int | str]) -> None:
    """Only a status that is told, by itself or by its class, can show the finding."""
    named = status in told or f"{status // 100}xx" in told
    assert (shown({"status": told}, [answer(status)]) is True) == named


def test_without_what_was_made_nothing_is_told() -> None:
    """A body cannot be the same as one that is not there."""
    assert shown(SAME, [answer(200, body=b"{}")]) is None
