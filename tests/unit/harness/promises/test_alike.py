"""Whether what may not be seen answers as what does not exist: a server that hides, and one that tells."""

from __future__ import annotations

import json
import uuid
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.exchange import Exchange, Request, Response
from harness.promises.alike import differences, unlike

WORDS = st.text("abcdef ", min_size=1, max_size=8)
BODIES = st.dictionaries(
    WORDS, st.none() | st.booleans() | st.integers() | WORDS | st.lists(WORDS, max_size=2), max_size=4
)
IDS = st.uuids().map(str) | st.integers(1, 10**6).map(str)


def answer(name: str, status: int, body: Any, headers: tuple[tuple[str, str], ...] = ()) -> Exchange:
    """What a request for an id was answered."""
    request = Request("GET", f"/things/{name}", "things.get")
    response = Response(status, (("Content-Type", "application/json"), *headers), json.dumps(body).encode())
    return Exchange("x", request, response, 0, 0, 0)


def three(real: str, source: Random) -> list[str]:
    """The real id between two made-up ones of its form."""
    return [real, unlike(real, source), unlike(real, source)]


@given(IDS, BODIES, st.integers())
def test_a_server_that_hides_tells_nothing(real: str, body: dict[str, Any], seed: int) -> None:
    """An answer that shows the id it was asked for, a fresh request id, a time and counters is alike for all three."""
    answers = []
    for number, name in enumerate(three(real, Random(seed))):
        fresh = str(uuid.UUID(int=Random(f"{seed}/{number}").getrandbits(128), version=4))
        shown = {**body, "message": f"there is no thing {name}", "requestId": fresh}
        moving = (
            ("X-Request-ID", fresh),
            ("RateLimit-Remaining", str(9 - number)),
            ("Content-Length", str(90 + number)),
        )
        answers.append(answer(name, 404, shown, moving))
    assert differences(*answers) == []


@given(IDS, BODIES, st.integers(), st.sampled_from(["status", "member", "value", "header", "text"]))
def test_a_server_that_tells_is_seen(real: str, body: dict[str, Any], seed: int, how: str) -> None:
    """Another status, a member more, another value, a header more or another text gives it away."""
    names = three(real, Random(seed))
    answers = [answer(name, 404, {**body, "code": "NOT_FOUND"}) for name in names]
    told: Any = {**body, "code": "NOT_FOUND"}
    headers: tuple[tuple[str, str], ...] = ()
    if how == "member":
        told["zzz"] = 1
    if how == "value":
        told["code"] = "FORBIDDEN"
    if how == "header":
        headers = (("X-Owner", "somebody"),)
    if how == "text":
        told = "it is another's"
    answers[0] = answer(names[0], 403 if how == "status" else 404, told, headers)
    assert differences(*answers)


@pytest.mark.parametrize("status", [0, 429, 500, 503])
def test_no_answer_tells_neither(status: int) -> None:
    """A limit, a server's error or two absent ones that differ in status are held against nothing."""
    names = ["a" * 8, "b" * 8, "c" * 8]
    answers = [answer(name, 404, {}) for name in names]
    assert differences(answers[0], answers[1], answer(names[2], status, {})) is None
    assert differences(answers[0], answers[1], answer(names[2], 400, {})) is None
