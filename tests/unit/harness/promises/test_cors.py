"""The promise `cors`: an API that lets one origin read, and ones that let others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Contract
from harness.exchange import Exchange, Request, Response
from harness.finding import Severity
from harness.promises.cors import PROMISE
from harness.verdict import Status
from tests.unit.harness.promises.gate_api import SHOP, Gate, document, examined, faults

DECLARED = document(cors={"origins": [SHOP], "credentials": True})
CAUGHT = {
    "reflects": {("cors.foreign-origin", "reflected"), ("cors.foreign-origin", "null")},
    "null": {("cors.foreign-origin", "null")},
    "prefix": {("cors.foreign-origin", "like a declared one")},
    "star": {("cors.any-origin", "with credentials")},
    "first": {("cors.foreign-origin", "another's")},
    "refuses": {("cors.refused", "preflight"), ("cors.refused", "simple")},
    "no vary": {("cors.vary", "")},
}


def kinds(gate: Gate) -> set[tuple[str, str]]:
    """Code and kind of what is found at any operation."""
    return {(code, kind) for code, _, kind in faults(examined(PROMISE, gate))}


def test_an_api_that_lets_one_origin_read_has_no_findings() -> None:
    """Every operation is asked, and nothing is found."""
    verdicts = examined(PROMISE, Gate(told=DECLARED))
    assert (faults(verdicts), [verdict.operation for verdict in verdicts if not verdict.examined]) == (set(), [])


@pytest.mark.parametrize("defect", CAUGHT)
def test_a_wrong_answer_is_found(defect: str) -> None:
    """Each way to let a foreign origin read, or to refuse the declared one, is found."""
    found = kinds(Gate(frozenset({defect}), told=DECLARED))
    assert found >= CAUGHT[defect]
    assert defect == "reflects" or found == CAUGHT[defect]


@pytest.mark.parametrize(("manner", "without"), [("fixed", set()), ("two lines", {("cors.vary", "")})])
def test_what_an_api_may_do_is_no_finding(manner: str, without: set[tuple[str, str]]) -> None:
    """One origin that is told whoever asks, or Vary on a line of its own beside another."""
    assert kinds(Gate(frozenset({manner}), told=DECLARED)) == set()
    assert kinds(Gate(frozenset({manner, "no vary"}), told=DECLARED)) == without


def test_one_origin_for_all_is_found_where_others_are_declared() -> None:
    """What is told whoever asks is wrong for the others."""
    told = document(cors={"origins": [SHOP, "https://desk.example.test"], "credentials": True})
    assert kinds(Gate(frozenset({"fixed"}), told=told)) == {("cors.foreign-origin", "another's")}


def test_a_limit_says_nothing_of_origins() -> None:
    """429 without the headers, which may come from before the layer that sends them."""
    verdicts = examined(PROMISE, Gate(frozenset({"limits"}), told=DECLARED))
    assert faults(verdicts) == set()
    assert {verdict.status for verdict in verdicts} == {Status.INCONCLUSIVE}


def test_without_a_declaration_only_what_no_api_means_is_found() -> None:
    """A reflected origin with credentials is found; an API that sends nothing, or its one origin, is let be."""
    assert kinds(Gate(told=document())) == set()
    assert kinds(Gate(frozenset({"first"}), told=document())) == set()
    assert kinds(Gate(frozenset({"star"}), told=document())) == {("cors.any-origin", "with credentials")}
    findings = [f for v in examined(PROMISE, Gate(frozenset({"reflects"}), told=document())) for f in v.findings]
    assert {item.severity for item in findings} == {Severity.HIGH}


def test_it_can_be_switched_off() -> None:
    """`cors: false` leaves the API alone."""
    assert examined(PROMISE, Gate(frozenset({"reflects"}), told=document(cors=False))) == []


NOTES = Contract(
    {
        "openapi": "3.1.0",
        "info": {"title": "notes", "version": "1"},
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "security": [{"bearer": []}],
        "x-promises": {"cors": {"origins": [SHOP], "credentials": True}},
        "paths": {"/notes/{id}": {"patch": {"operationId": "edit"}, "get": {"operationId": "read"}}},
    }
)
METHODS = ["PATCH", "GET, patch", "GET,PATCH,PUT"]
HEADERS = ["authorization", "Content-Type, Authorization"]


def preflight(status: int, methods: str, headers: str, operation: str = "edit", told: Contract = NOTES) -> set[str]:
    """The kinds that are found in the answer to a preflight of the declared origin."""
    sent = (
        ("Access-Control-Allow-Origin", SHOP),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Allow-Methods", methods),
        ("Access-Control-Allow-Headers", headers),
    )
    request = Request("OPTIONS", "/notes/1", step=f"preflight {SHOP}")
    exchange = Exchange("x1", request, Response(status, sent), 1, 1, 1)
    assert PROMISE.judge is not None
    return {item.kind for item in PROMISE.judge(told, told.by_id[operation], [exchange]).findings}


@given(st.sampled_from([200, 204]), st.sampled_from(METHODS), st.sampled_from(HEADERS))
def test_a_preflight_that_permits_the_call_is_no_fault(status: int, methods: str, headers: str) -> None:
    """However the names are written, and whatever else is permitted."""
    assert preflight(status, methods, headers) == set()


@given(st.sampled_from([200, 204]), st.sampled_from(["", "GET", "GET, POST, PUT", "*"]), st.sampled_from(HEADERS))
def test_a_preflight_that_lacks_the_method_is_found(status: int, methods: str, headers: str) -> None:
    """With credentials an asterisk is a method's name; a GET needs no permission."""
    assert preflight(status, methods, headers) == {"preflight of the call"}
    assert preflight(status, methods, headers, "read") == set()


@pytest.mark.parametrize(
    ("status", "headers"), [(200, "Content-Type"), (204, "*"), (302, "Authorization"), (404, "Authorization")]
)
def test_a_preflight_that_a_browser_refuses_is_found(status: int, headers: str) -> None:
    """Without the header that every identity is proven by, or with another status than a success."""
    assert preflight(status, "PATCH", headers) == {"preflight of the call"}


def test_an_asterisk_permits_calls_without_credentials() -> None:
    """Where pages are not promised to read with credentials, `*` stands for every method, whatever else is told."""
    told = Contract({**NOTES.document, "x-promises": {"cors": {"origins": [SHOP]}}})
    assert preflight(204, "*", "Authorization", told=told) == set()
    assert preflight(204, "GET", "Authorization", told=told) == {"preflight of the call"}
