"""The promise `http`: an API that keeps to RFC 9110, and ones that leave one thing out."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import judge
from harness.actors import Actors
from harness.contract import Contract
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.promises.http import PROMISE
from harness.stage import Stage
from tests.unit.harness.promises.gate_api import IDENTITIES, VIEW, Gate, document, examined, faults

if TYPE_CHECKING:
    from harness.case import Case

CAUGHT = {
    "no challenge": {("http.challenge", name, "") for name in ("things.list", "things.create", "things.get")},
    "no allow": {("http.allow", "things.list", "absent"), ("http.allow", "things.get", "absent")},
    "less allow": {("http.allow", "things.list", "-POST"), ("http.allow", "things.get", "-HEAD")},
    "location": {("http.location", "things.create", "")},
    "cuts off": {("http.location", "things.create", "cut off")},
    "head": {("http.head", "things.head", "etag")},
}
CAUGHT["no challenge"].add(("http.challenge", "things.head", ""))


def test_an_api_that_keeps_to_it_has_no_findings() -> None:
    """Each case examines something, and nothing is found."""
    verdicts = examined(PROMISE, Gate())
    assert faults(verdicts) == set()
    assert [verdict.operation for verdict in verdicts if not verdict.examined] == []


@pytest.mark.parametrize("defect", CAUGHT)
def test_what_is_left_out_is_found(defect: str) -> None:
    """One thing left out is found where it stands, and nothing else is."""
    assert faults(examined(PROMISE, Gate(frozenset({defect})))) == CAUGHT[defect]


def test_the_query_of_a_location_goes_along() -> None:
    """A Location with a query is followed with that query, not with one that is escaped twice."""
    gate = Gate(frozenset({"location has a query"}))
    assert faults(examined(PROMISE, gate)) == set()
    assert [item.request.query for item in gate.sent if item.request.step == "followed"] == [VIEW]


def test_what_is_cut_off_once_is_no_finding() -> None:
    """A connection that is closed once, as a server does that restarts, is not told; nor is one that all are."""
    gate = Gate(frozenset({"cuts off"}))
    examined(PROMISE, gate)
    (created,) = {item.case for item in gate.sent if item.request.step == "followed"}
    sent = [item for item in gate.sent if item.case == created]
    served = replace(sent[-1], response=Response(200), error="")
    verdict = PROMISE.judge(gate.contract, gate.contract.by_id["things.create"], [*sent[:-1], served])
    assert (verdict.findings, "connection closed" in verdict.reason) == ((), True)


def test_nothing_is_judged_where_nothing_is_declared() -> None:
    """Without the promise an API may leave out what it likes."""
    assert examined(PROMISE, Gate(frozenset(CAUGHT), told=document())) == []


def test_the_whole_history_is_judged() -> None:
    """What a case showed beside its operation, and what another driver saw, are both told at the path's operation."""
    gate = Gate(frozenset({"no allow"}))
    examined(PROMISE, gate)
    probe = Exchange("f1", Request("DELETE", "/things"), Response(405), 0, 0, 0, case="fuzz/ann")
    told = judge.standing(gate.contract, [*gate.sent, probe])
    told = [verdict for verdict in told if verdict.promise == "http"]
    assert faults(told) == CAUGHT["no allow"]
    assert {verdict.operation for verdict in told if verdict.findings} == {"", "things.list", "things.get"}
    (again,) = {item.reproduction.case for verdict in told if verdict.operation == "" for item in verdict.findings}
    assert again == "http/things.list/answers"


@pytest.mark.parametrize(
    ("status", "headers", "body", "found"),
    [
        (204, (), b"", False),
        (204, (("Content-Length", "0"),), b"", False),
        (204, (("Content-Length", "3"),), b"", True),
        (304, (("Content-Length", "9"),), b"", False),
        (304, (), b"{}", True),
    ],
)
def test_a_status_without_content(status: int, headers: tuple[tuple[str, str], ...], body: bytes, found: bool) -> None:  # noqa: FBT001 - pytest gives values by position
    """A 204 has neither content nor a length; a 304 may tell the length of what it stands for."""
    contract = Contract.read(document(http={}), "gate")
    seen = Exchange("x", Request("GET", "/things", "things.list"), Response(status, headers, body), 0, 0, 0)
    assert PROMISE.judge is not None
    verdict = PROMISE.judge(contract, contract.by_id["things.list"], [seen])
    assert (verdict.examined, [item.code for item in verdict.findings]) == (1, ["http.content"] if found else [])


def test_what_an_open_create_made_is_not_followed_as_nobody() -> None:
    """Who makes an account has yet to sign in, so the 401 to its Location says nothing; the 405 is examined."""
    told = document(http={})
    told["paths"]["/things"]["post"]["security"] = []
    verdicts = examined(PROMISE, Gate(told=told, open_create=True))
    assert (faults(verdicts), [item.reason for item in verdicts if item.reason]) == (set(), [])


def test_a_stream_is_not_called_but_its_path_is() -> None:
    """A stream that nobody may read is left alone; the 405 of its path names its methods, or is found."""
    told = document(http={})
    events = {"200": {"description": "", "content": {"text/event-stream": {}}}}
    told["paths"] = {"/things": {"get": {"operationId": "things.list", "responses": events}}}
    gate = Gate(frozenset({"no allow"}), told=told)
    assert faults(examined(PROMISE, gate)) == {("http.allow", "things.list", "absent")}
    assert [item.request.method for item in gate.sent] == ["PATCH"]


BOUND = {"resource": {"thing": {"create": "things.create", "read": "things.get", "id": "/id"}}}
UNBOUNDED = {("http.body-bound", "things.create", "over"), ("http.body-bound", "things.create", "untold")}


def bounded(most: int, *defects: str) -> Gate:
    """An API that says how many bytes a body may have."""
    return Gate(frozenset(defects), told=document(http={"max_body_bytes": most}, **BOUND), most=most)


@given(most=st.integers(80, 3_000_000))
def test_a_bound_that_is_kept_to_the_byte_is_no_finding(most: int) -> None:
    """Whatever it is, one byte more is sent with its length and without, then as many; three are examined."""
    api = bounded(most)
    verdicts = examined(PROMISE, api)
    assert (faults(verdicts), [item.reason for item in verdicts if item.reason]) == (set(), [])
    sent = [item for item in api.sent if item.request.step.startswith("length-")]
    assert [len(item.request.body or b"") for item in sent[1:]] == [most + 1, most + 1, most]
    assert [item.status for item in sent] == [201, 413, 413, 201]
    assert PROMISE.judge is not None
    assert PROMISE.judge(api.contract, api.contract.by_id["things.create"], sent).examined == 3


@pytest.mark.parametrize(
    ("defect", "found"),
    [
        ("any length", UNBOUNDED),
        ("trusts the length", {("http.body-bound", "things.create", "untold")}),
        ("off by one", {("http.body-bound", "things.create", "within")}),
    ],
)
def test_a_bound_that_is_not_kept_is_found(defect: str, found: set[tuple[str, str, str]]) -> None:
    """Too much is taken, with a length or only without, or as much as there may be is refused; nothing else is told."""
    assert faults(examined(PROMISE, bounded(5_000, defect))) == found
    assert faults(examined(PROMISE, Gate(frozenset({defect})))) == set()


def test_who_takes_no_spaces_is_not_accused() -> None:
    """A refusal of what fills the body up tells nothing of its length, and says so."""
    (verdict,) = [item for item in examined(PROMISE, bounded(5_000, "no spaces")) if item.reason]
    assert (verdict.operation, verdict.findings) == ("things.create", ())
    assert "filled up with spaces" in verdict.reason


@pytest.mark.parametrize(("most", "reason"), [(3, "a valid body has"), (1 << 26, "more than is sent here")])
def test_a_bound_that_cannot_be_tried_is_told(most: int, reason: str) -> None:
    """One that no valid body keeps, and one of more than 32 MiB."""
    api = bounded(most)
    api.most = 1 << 30
    case = next(item for item in _cases(api) if item.name == "body")
    done = drive(case, Stage(api.contract, Actors(IDENTITIES, {}), Random(2), "n"), api, sleep=lambda _seconds: None)
    assert reason in done.reason


def test_a_bound_of_the_document_is_tried_once_a_method_and_an_operations_own_there() -> None:
    """Of two that make things the first is tried; what an operation says itself is tried at it."""
    assert [item.name for item in _cases(bounded(100))].count("body") == 1
    two = document(http={"max_body_bytes": 100}, **BOUND)
    two["paths"] = {"/others": {"post": {**two["paths"]["/things"]["post"], "operationId": "others.create"}}} | two[
        "paths"
    ]
    two["x-promises"]["resource"]["other"] = {"create": "others.create", "read": "things.get", "id": "/id"}
    assert "body" not in [item.name for item in _cases(Gate(told=two))]
    told = document()
    told["paths"]["/things"]["post"]["x-promises"] = {"http": {"max_body_bytes": 100}}
    assert "body" in [item.name for item in _cases(Gate(told=told))]


def _cases(gate: Gate) -> list[Case]:
    """The cases of the operation that makes things."""
    assert PROMISE.cases is not None
    return [*PROMISE.cases(gate.contract, gate.contract.by_id["things.create"], Random(1))]
