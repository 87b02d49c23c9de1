"""The standing promise `headers`: present, of a pattern, of one value, or absent, on every answer."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Contract
from harness.exchange import Exchange, Request, Response
from harness.promises.headers import PROMISE

DECLARED = {
    "X-Request-ID": {"pattern": "^[A-Za-z0-9_-]{1,64}$"},
    "X-Content-Type-Options": {"const": "nosniff"},
    "Date": {},
    "Server": {"absent": True},
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "shop", "version": "1"},
    "x-promises": {"headers": DECLARED},
    "paths": {"/things": {"get": {"operationId": "list", "responses": {"200": {"description": ""}}}}},
}
CONTRACT = Contract.read(DOCUMENT, "shop")
GOOD = (("x-request-id", "a-1"), ("X-CONTENT-TYPE-OPTIONS", "nosniff"), ("Date", "today"))


def found(headers: tuple[tuple[str, str], ...], status: int = 200) -> list[tuple[str, str]]:
    """Code and kind of what is found in an answer with these headers."""
    call = Exchange("e", Request("GET", "/things", "list"), Response(status, headers), 0, 0, 1)
    verdict = PROMISE.judge(CONTRACT, CONTRACT.by_id["list"], [call])
    return [(finding.code, finding.kind) for finding in verdict.findings]


@given(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True), st.integers(100, 599), st.text())
def test_an_answer_with_its_headers_is_no_finding(request_id: str, status: int, date: str) -> None:
    """Any status and any fitting value pass."""
    assert found((("X-Request-ID", request_id), *GOOD[1:2], ("Date", date)), status) == []


@given(st.lists(st.tuples(st.text(), st.text())), st.integers(100, 599))
def test_any_headers_are_judged_without_an_error(headers: list[tuple[str, str]], status: int) -> None:
    """Whatever came, a verdict is given."""
    found(tuple(headers), status)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (GOOD[1:], ("headers.missing", "x-request-id")),
        (GOOD[:2], ("headers.missing", "date")),
        ((*GOOD, ("X-Request-ID", "a b")), ("headers.value", "x-request-id")),
        ((GOOD[0], ("X-Content-Type-Options", "sniff"), GOOD[2]), ("headers.value", "x-content-type-options")),
        ((*GOOD, ("server", "shop/1")), ("headers.forbidden", "server")),
    ],
)
def test_each_broken_rule_is_found(headers: tuple[tuple[str, str], ...], expected: tuple[str, str]) -> None:
    """A missing, a wrong and a forbidden header each have their code and the header as kind."""
    assert found(headers) == [expected]


def test_the_same_fault_on_many_answers_is_one_finding_with_a_few_witnesses() -> None:
    """A fault on every answer is told once, and the witnesses stay few."""
    calls = [Exchange(f"e{n}", Request("GET", "/", "list"), Response(200, GOOD[1:]), 0, 0, 1) for n in range(50)]
    verdict = PROMISE.judge(CONTRACT, CONTRACT.by_id["list"], calls)
    assert [len(finding.witnesses) for finding in verdict.findings] == [5]
    assert verdict.examined == 50


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        (DECLARED, True),
        ({"X": {"pattern": "("}}, False),
        ({"X": {"equals": "a"}}, False),
        ({}, False),
        ({"X": 1}, False),
    ],
)
def test_the_annotation_takes_the_four_forms_only(value: Any, *, valid: bool) -> None:
    """A header's rule is empty, a pattern, a const or absent."""
    validator = jsonschema_rs.Draft202012Validator(dict(PROMISE.annotation), validate_formats=True)
    assert validator.is_valid(value) is valid
