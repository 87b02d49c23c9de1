"""The survey against a small API in memory: a correct one gives no finding, each planted fault gives its own."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.actors import Actors
from harness.contract import Contract, Operation, Parameter
from harness.drive import drive
from harness.exchange import Request, Response
from harness.promises import schema, survey
from harness.stage import Stage
from tests.unit.harness.promises.surveyed_shop import PLAIN, Shop, document, never, surveyed

if TYPE_CHECKING:
    from collections.abc import Callable

BOUNDED = st.fixed_dictionaries(
    {"type": st.just("integer"), "minimum": st.integers(-50, 5)},
    optional={"maximum": st.integers(6, 90), "multipleOf": st.sampled_from([1, 2])},
)
VALUES = st.one_of(
    BOUNDED,
    st.fixed_dictionaries({"type": st.just("number"), "minimum": st.integers(0, 3), "maximum": st.integers(4, 9)}),
    st.fixed_dictionaries(
        {"type": st.just("string"), "minLength": st.integers(0, 4), "maxLength": st.integers(40, 90)}
    ),
    st.just({"enum": ["a", "b"]}),
    st.just({"type": "boolean"}),
    st.just({"type": ["string", "null"], "format": "uuid"}),
    st.just({"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "maxItems": 4}),
    st.just({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}),
)


@given(VALUES, BOUNDED, st.sampled_from([["name"], ["name", "value"]]))
@settings(max_examples=40, deadline=None)
def test_an_api_that_keeps_its_contract_gives_no_finding(value: Any, limit: Any, required: list[str]) -> None:
    """Whatever the contract says of a member and a parameter, a correct API is clean, and every promise is examined."""
    shop = Shop(document(value, limit=limit, required=required))
    assert surveyed(shop) == []


FAULTS: dict[str, Callable[[list[tuple[str, str, str]]], bool]] = {
    "any limit": lambda found: ("schema.invalid-input-accepted", "things.list", "query limit minimum") in found,
    "crash": lambda found: ("schema.server-error", "things.list", "500") in found,
    "any member": lambda found: ("schema.invalid-input-accepted", "things.create", "body / extra member") in found,
    "any value": lambda found: ("schema.invalid-input-accepted", "things.create", "body /value minimum") in found,
    "wrong status": lambda found: ("schema.undocumented-status", "things.create", "200") in found,
    "other envelope": lambda found: ("envelope.shape", "things.get", "404 /error missing") in found,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_planted_fault_is_found(fault: str) -> None:
    """A survey sends what shows the fault, and the judges name operation and rule."""
    assert FAULTS[fault](surveyed(Shop(PLAIN, fault)))


@pytest.mark.parametrize(
    ("fault", "operation"), [("64 bits", "things.list"), ("once", "things.create"), ("once", "things.update")]
)
def test_a_server_falls_over_what_its_contract_allows(fault: str, operation: str) -> None:
    """A number that 64 bits do not hold in a query without a bound, an item twice in a list: allowed, and sent."""
    items = {"type": "array", "items": {"type": "integer", "minimum": 0}, "maxItems": 9}
    plain = document(items, limit={"type": "integer", "minimum": 1}, required=["name", "value"])
    assert ("schema.server-error", operation, "500") in surveyed(Shop(plain, fault))
    assert surveyed(Shop(plain)) == []


def test_a_server_falls_over_a_name_that_is_taken() -> None:
    """The same body twice, and in an update the name of another: whether a name is taken or not is no server error."""
    found = surveyed(Shop(PLAIN, "taken"))
    assert ("schema.server-error", "things.create", "500") in found
    assert ("schema.server-error", "things.update", "500") in found


def test_a_server_falls_over_a_file_that_is_none() -> None:
    """What is called a picture and is a text, half of one, its first bytes, or nothing, is no server error."""
    answers = {str(status): {"description": ""} for status in (201, 400, 401)}
    picture = {"type": "object", "required": ["image"], "properties": {"image": {"type": "string", "format": "binary"}}}
    form = {"multipart/form-data": {"schema": picture, "encoding": {"image": {"contentType": "image/png"}}}}
    upload = {"operationId": "upload", "requestBody": {"required": True, "content": form}, "responses": answers}
    contract = Contract.read({**PLAIN, "paths": {"/pictures": {"post": upload}}}, "pictures")
    told = {"known": [{"name": "ann", "headers": {"Authorization": "Bearer x"}}]}

    class Pictures(Shop):
        """Takes whole pictures."""

        def answer(self, request: Request) -> Response:
            """Believe or look, as the fault is."""
            body = request.body or b""
            if b"IEND" in body:
                return Response(201)
            return Response(500 if self.fault in request.step else 400)

    for fault in ("file text", "file half", "file begun", "file empty", "none of these"):
        (case,) = [case for case in survey.cases(contract, contract.by_id["upload"], Random(1)) if case.name == "files"]
        driven = drive(case, Stage(contract, Actors(told), Random(1), "n"), Pictures(PLAIN, fault), sleep=never)
        verdict = schema.PROMISE.judge(contract, contract.by_id["upload"], driven.exchanges)
        assert [finding.code for finding in verdict.findings] == ["schema.server-error"] * (fault != "none of these")


def test_an_id_that_a_client_makes_up_is_not_told_back() -> None:
    """A request id that answers carry has its documented form, whatever the request says it is."""
    carried = {"X-Request-ID": {"schema": {"type": "string", "pattern": "^[a-z0-9-]{1,36}$"}}}
    answers = {"200": {"description": "", "headers": carried}, "401": {"description": ""}}
    listing = {"operationId": "list", "responses": answers}
    contract = Contract.read({**PLAIN, "paths": {"/list": {"get": listing}}}, "list")
    told = {"known": [{"name": "ann", "headers": {"Authorization": "Bearer x"}}]}

    class Echoing(Shop):
        """Tells an id, its own or the client's."""

        def answer(self, request: Request) -> Response:
            """Keep what it is told, or not."""
            own = dict(request.headers).get("X-Request-ID", "own") if self.fault else "own"
            return Response(200, (("X-Request-ID", own),))

    for fault in ("", "echo"):
        case = survey.cases(contract, contract.by_id["list"], Random(1))[0]
        driven = drive(case, Stage(contract, Actors(told), Random(1), "n"), Echoing(PLAIN, fault), sleep=never)
        verdict = schema.PROMISE.judge(contract, contract.by_id["list"], driven.exchanges)
        assert {finding.code for finding in verdict.findings} == ({"schema.missing-header"} if fault else set())


def test_the_calls_of_an_operation_stay_few_and_are_the_same_for_the_same_seed() -> None:
    """At most about 40 requests an operation beside the set-up, alike in two runs."""
    runs = []
    for _ in range(2):
        shop = Shop(PLAIN)
        surveyed(shop)
        own = [exchange for exchange in shop.sent if exchange.request.step != "set-up"]
        runs.append([(exchange.operation, exchange.request.step) for exchange in own])
        counts = [sum(1 for exchange in own if exchange.operation == name) for name in {e.operation for e in own}]
        assert max(counts) <= 40
    assert runs[0] == runs[1]


def test_an_endless_stream_is_left_alone() -> None:
    """An operation that answers lines for ever has no survey; of an event stream the beginning is enough."""
    events = {"200": {"description": "", "content": {"application/x-ndjson": {}}}}
    stream = {**PLAIN, "paths": {"/events": {"get": {"operationId": "events", "responses": events}}}}
    contract = Contract.read(stream, "stream")
    assert survey.cases(contract, contract.by_id["events"], Random(1)) == ()


def test_the_identity_that_cases_share_is_not_changed_by_its_own_call() -> None:
    """Where no fresh identity can be had, a call on the caller itself is not made, and the reason is told."""
    own = {"delete": {"operationId": "me.delete", "responses": {"204": {"description": ""}}}}
    contract = Contract.read({**PLAIN, "paths": {"/me": own}}, "me")
    told = {"known": [{"name": "ann", "headers": {"Authorization": "Bearer x"}}]}
    shop = Shop(PLAIN)
    case = survey.cases(contract, contract.by_id["me.delete"], Random(1))[0]
    driven = drive(case, Stage(contract, Actors(told), Random(1), "n"), shop, sleep=never)
    assert "identity that all cases share" in driven.reason
    assert shop.sent == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("PUT /v3/access/users/me", True),
        ("DELETE /account", True),
        ("POST /auth/logout", True),
        ("POST /users/{id}/password", True),
        ("PUT /iou_license", False),
        ("PUT /users/{id}", False),
        ("GET /users/me", False),
    ],
)
def test_a_call_on_the_caller_is_known_by_its_path(line: str, expected: bool) -> None:  # noqa: FBT001 - a table's column
    """What changes, signs out or deletes the one who calls is told from settings and from things with an id."""
    method, path = line.split()
    parameters = tuple(Parameter("id", "path", required=True, schema={}, pointer="") for _ in range(path.count("{")))
    assert survey.may_change_caller(Operation("o", method, path, parameters)) is expected
