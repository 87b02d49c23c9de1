"""Whether a test that stands alone takes answers for alike where the run itself does."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.exchange import Exchange, Request, Response
from harness.exits import Exit
from harness.finding import Finding, Reproduction, Severity
from harness.promises.alike import differences, unlike
from harness.render import alone
from harness.render.stated import Stated
from harness.report import Report, RunStatus, Target
from tests.unit.harness.render.defined import defined
from tests.unit.harness.render.shelf import step

WORDS = st.text("abcdef", min_size=2, max_size=8)
BODIES = st.dictionaries(WORDS, st.none() | st.booleans() | st.integers(0, 9) | WORDS, max_size=4)
IDS = st.integers(1, 12).map(str) | st.integers(1, 10**6).map(str) | st.uuids().map(str)


@pytest.fixture(scope="module")
def alone_said() -> dict[str, Any]:
    """What a file whose assertion holds answers against each other defines."""
    told = Reproduction("", {}, (step("get", "valid"),))
    finding = Finding("owner.status", "a fault", Severity.LOW, "get", "existence", "x", "y", reproduction=told)
    report = Report("run", RunStatus.COMPLETE, Exit.FINDINGS, Target("url", "http://127.0.0.1:9"), findings=(finding,))
    text = alone.render(finding, report, Stated(["check(answers[0], lambda answer: alike(answer, answer, answer))"]))
    return defined(text).__dict__


def both(file_of: dict[str, Any], names: list[str], bodies: list[Any]) -> tuple[bool, bool]:
    """Whether the run, and the file, take the first answer for that of what does not exist; all are 404."""
    run, file = [], []
    for name, body in zip(names, bodies, strict=True):
        data = json.dumps(body).encode()
        headers = (("content-type", "application/json"), ("x-retry", "1"))
        run.append(Exchange("x", Request("GET", f"/b/{name}", "get"), Response(404, headers, data), 0, 0, 0))
        file.append(file_of["Answer"](1, 404, dict(headers), data, f"/b/{name}", b""))
    return differences(*run) == [], file_of["alike"](*file)


@given(IDS, BODIES, st.integers())
def test_a_server_that_hides(alone_said: dict[str, Any], real: str, body: dict[str, Any], seed: int) -> None:
    """One answer to all, that says again what was asked for, is alike whatever else in it is equal to an id."""
    names = [real, unlike(real, Random(seed)), unlike(real, Random(seed + 1))]
    bodies = [{**body, "message": f"there is no thing {name}"} for name in names]
    assert both(alone_said, names, bodies) == (True, True)


@given(IDS, BODIES, BODIES, st.integers())
def test_a_server_that_may_tell(alone_said: dict[str, Any], real: str, one: Any, other: Any, seed: int) -> None:
    """Whatever is answered to what exists, the file takes it as the run does."""
    names = [real, unlike(real, Random(seed)), unlike(real, Random(seed + 1))]
    run, file = both(alone_said, names, [one, other, other])
    assert run == file


@pytest.mark.parametrize(("told", "expected"), [(1, True), (2, False)])
def test_an_id_that_is_a_number_of_the_body(alone_said: dict[str, Any], told: int, *, expected: bool) -> None:
    """Where the id is 1 and every answer has the code 1, the answers are alike; another code tells."""
    names = ["1", "1000001", "1000002"]
    assert both(alone_said, names, [{"code": told}, {"code": 1}, {"code": 1}]) == (expected, expected)
