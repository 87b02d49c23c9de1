"""The promise `transports`: what may not be called is refused at every door, and only then."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.actors import Actors
from harness.cell import CellState
from harness.examine import judged as judged_by
from harness.exchange import Exchange, Request, Response
from harness.finding import Finding, Reproduction, Severity
from harness.judge import case_again, standing
from harness.promises.annotations import problems
from harness.promises.catalogue import BY_KEY, PROMISES
from harness.promises.transports import PROMISE
from harness.promises.transports.door import doors
from harness.stage import Stage
from harness.verdict import Status, Verdict
from tests.unit.harness.promises.counter_api import PLAIN, RPC, Answered, Counter, contract, driven, judged
from tests.unit.harness.promises.shelf_api import IDENTITIES, Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.contract import Contract, Operation

ENVELOPE = {"schema": {"type": "object", "required": ["error"]}}
REFUSALS = [401, 403, 404, 405, 409, 429, 500, 501, 503]
OF_THE_INPUT = [400, 413, 415, 422]
GUARDED = ["users.roles", "users.get", "users.update", "users.delete", "notes.create", "notes.update", "notes.delete"]
FAULTS = st.sampled_from(["", "", "lost", "dropped", 401, 429, 503])
PAGE = (200, b"<!doctype html><title>shelf</title>")


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """However answers are lost, refused by a limit or broken off, doors that keep the roles have no finding."""

    def fault(request: Request) -> str | int:
        own = request.step.startswith(("may", "before", "after", "again", "alike"))
        return data.draw(FAULTS) if own else ""

    told = data.draw(st.sampled_from([RPC, PLAIN]))
    for verdict in judged(Counter(fault=fault, contract=contract(told)), data.draw(st.sampled_from(GUARDED))):
        assert verdict.findings == ()


@settings(deadline=None, max_examples=60)
@given(name=st.sampled_from(GUARDED), status=st.sampled_from(REFUSALS), whole=st.booleans())
def test_a_door_that_refuses_is_no_finding(name: str, status: int, *, whole: bool) -> None:
    """Whatever a door refuses with, everybody or only those that may not, nothing is said against it."""

    def dressed(_request: Request, answer: Answered) -> Answered:
        return (status, b'{"json":{"code":"NO"}}') if whole or answer[0] >= 400 else answer

    (verdict,) = judged(Counter(dressed=dressed), name)
    assert verdict.findings == ()
    assert not whole or verdict.status is Status.INCONCLUSIVE or status in {404, 409}


@settings(deadline=None, max_examples=60)
@given(
    name=st.sampled_from(GUARDED[1:]), status=st.sampled_from(OF_THE_INPUT), told=st.sampled_from([RPC, PLAIN]),
    whole=st.booleans(),
)  # fmt: skip
def test_what_one_door_refuses_for_its_input(name: str, status: int, told: dict[str, Any], *, whole: bool) -> None:
    """A valid call that a door refuses for its input, and the document's transport takes, is one finding of it."""

    def fault(request: Request) -> str | int:
        return status if request.step.startswith("may" if whole else "may:") else ""

    (verdict,) = judged(Counter(fault=fault, contract=contract(told)), name)
    word = f"over {told['name']}"
    assert [(item.code, item.kind, item.operation) for item in verdict.findings] == [("transports.refused", word, name)]
    assert str(status) in verdict.findings[0].seen
    assert len(verdict.findings[0].witnesses) == 2


@pytest.mark.parametrize("name", GUARDED[1:])
def test_a_door_that_takes_its_parts_apart_is_no_finding(name: str) -> None:
    """What oRPC's detailed structure refuses together and takes apart is served there; more of it is not known."""
    (verdict,) = judged(Counter(detailed=True), name)
    assert (verdict.status, verdict.findings) == (Status.INCONCLUSIVE, ())


def test_values_that_a_form_may_mark_tell_nothing() -> None:
    """A list of words may be a set, which oRPC marks: its refusal tells nothing against the door."""

    def fault(request: Request) -> str | int:
        return 422 if request.step.startswith("may") else ""

    (verdict,) = judged(Counter(fault=fault), "users.roles")
    assert (verdict.status, verdict.findings) == (Status.INCONCLUSIVE, ())


@pytest.mark.parametrize("other", [400, 403, 404, 422, 429, 500, 503])
def test_what_both_refuse_is_no_finding(other: int) -> None:
    """Where the document's transport does not take the call either, the door's refusal tells nothing against it."""

    class Refusing(Counter):
        def send(self, request: Request, *, case: str = "") -> Exchange:
            exchange = super().send(request, case=case)
            alike = request.step.startswith("alike")
            return Exchange(exchange.id, request, Response(other), 0, 0, 0, case=case) if alike else exchange

    def fault(request: Request) -> str | int:
        return 422 if request.step.startswith("may") else ""

    assert judged(Refusing(fault=fault), "notes.create")[0].findings == ()
    assert [item.code for item in judged(Counter(fault=fault), "notes.create")[0].findings] == ["transports.refused"]


@pytest.mark.parametrize("told", [RPC, PLAIN], ids=["orpc", "json"])
@pytest.mark.parametrize("name", GUARDED)
def test_kept(name: str, told: dict[str, Any]) -> None:
    """Doors that ask for the same roles are examined for each caller, and pass."""
    (verdict,) = judged(Counter(contract=contract(told)), name)
    assert (verdict.status, verdict.reason) == (Status.PASS, "")
    word = f"over {told['name']}"
    assert {cell.identity for cell in verdict.cells} >= {f"anonymous {word}"}
    assert {cell.state for cell in verdict.cells} == {CellState.HELD}


@pytest.mark.parametrize("told", [RPC, PLAIN], ids=["orpc", "json"])
@pytest.mark.parametrize(
    ("defect", "name", "code", "caller"),
    [
        ("any role", "notes.create", "roles.role-allowed", "reader"),
        ("open users.get", "users.get", "roles.anonymous-allowed", "anonymous"),
        ("open users.update", "users.update", "roles.anonymous-allowed", "anonymous"),
        ("open users.delete", "users.delete", "roles.anonymous-allowed", "anonymous"),
        ("open notes.update", "notes.update", "roles.anonymous-allowed", "anonymous"),
        ("open notes.delete", "notes.delete", "roles.anonymous-allowed", "anonymous"),
    ],
)
def test_broken(defect: str, name: str, code: str, caller: str, told: dict[str, Any]) -> None:
    """A guard that one door lacks is found there, and not at the other."""
    (verdict,) = judged(Counter(behind=frozenset({defect}), contract=contract(told)), name)
    assert [(item.code, item.kind) for item in verdict.findings] == [(code, f"{caller} over {told['name']}")]
    assert f"POST {told['prefix']}" in verdict.findings[0].seen
    assert [item.findings for item in judged(Counter(frozenset({defect}), contract=contract(told)), name)] == [()]


def test_a_refusal_that_acts() -> None:
    """What was refused to all and changed the thing is an effect."""

    class Acting(Shelf):
        def _handle(self, request: Request) -> Any:
            if request.operation == "users.roles" and not request.identity.headers:
                self.people[request.path.split("/")[2]]["name"] = "acted"
            return super()._handle(request)

    (verdict,) = judged(Counter(inner=Acting), "users.roles")
    assert [(item.code, item.kind) for item in verdict.findings] == [("roles.effect", "over rpc")]
    assert "/name had changed" in verdict.findings[0].seen


@pytest.mark.parametrize(
    ("told", "dressed"),
    [
        (RPC, lambda _request, _answer: PAGE),
        (PLAIN, lambda _request, _answer: PAGE),
        (PLAIN, lambda _request, answer: (200, b'{"errors":[{"message":"no"}]}') if answer[0] >= 400 else answer),
        (PLAIN, lambda _request, answer: (200, b'{"success":false}') if answer[0] >= 400 else answer),
        (RPC, lambda _request, _answer: (404, b'{"json":{"code":"NOT_FOUND"}}')),
        (RPC, lambda _request, answer: (405 if answer[0] < 400 else answer[0], b"")),
    ],
    ids=["page", "plain page", "200 with errors", "200 without success", "not served", "method"],
)
def test_what_is_not_served_there_is_unknown(told: dict[str, Any], dressed: Callable[..., Answered]) -> None:
    """A page for every path, an error beside a 200, a path that is not there: no finding, no pass, and a reason."""
    (verdict,) = judged(Counter(contract=contract(told), dressed=dressed), "users.get")
    assert (verdict.status, verdict.findings, verdict.examined) == (Status.INCONCLUSIVE, (), 0)
    assert verdict.reason
    assert {cell.state for cell in verdict.cells} <= {CellState.UNKNOWN, CellState.HELD}


def test_one_that_may_and_finds_nothing_shows_the_gate() -> None:
    """Where the document's transport gives the same refusal to one that may, the others were refused by the gate."""

    def fault(request: Request) -> int | str:
        return 401 if request.step.startswith("may-not") else ""

    class Empty(Counter):
        def send(self, request: Request, *, case: str = "") -> Exchange:
            exchange = super().send(request, case=case)
            lost = request.step.startswith(("may:", "alike"))
            return Exchange(exchange.id, request, Response(404), 0, 0, 0, case=case) if lost else exchange

    (verdict,) = judged(Empty(fault=fault), "users.get")
    assert (verdict.status, verdict.examined) == (Status.PASS, 1)
    assert {cell.identity: cell.state for cell in verdict.cells} == {
        "anonymous over rpc": CellState.HELD,
        "reader over rpc": CellState.UNKNOWN,
    }


def test_the_same_refusal_for_all_shows_no_gate() -> None:
    """Where nothing is served and the document's transport finds nothing either, nothing is examined."""

    class Nowhere(Counter):
        def send(self, request: Request, *, case: str = "") -> Exchange:
            exchange = super().send(request, case=case)
            lost = request.step.startswith(("may", "alike"))
            return Exchange(exchange.id, request, Response(404), 0, 0, 0, case=case) if lost else exchange

    (verdict,) = judged(Nowhere(), "users.get")
    assert (verdict.status, verdict.findings, verdict.examined) == (Status.INCONCLUSIVE, (), 0)
    assert "answered 404, as reader over rpc was, who may" in verdict.reason


def test_an_answer_that_names_no_error_is_one() -> None:
    """A member for errors that holds none stands in many an answer that succeeded."""

    def dressed(_request: Request, answer: Answered) -> Answered:
        shown = b'{"data":%b,"error":null,"errors":[]}' % (answer[1] or b"null")
        return (200, shown) if answer[0] < 400 else answer

    (kept,) = judged(Counter(contract=contract(PLAIN), dressed=dressed), "users.get")
    assert (kept.status, kept.findings, kept.reason) == (Status.PASS, (), "")
    broken = Counter(behind=frozenset({"open users.get"}), contract=contract(PLAIN), dressed=dressed)
    assert [item.code for item in judged(broken, "users.get")[0].findings] == ["roles.anonymous-allowed"]


def test_what_anybody_may_and_what_is_switched_off_is_not_tried() -> None:
    """Nobody is refused where anyone may call; false on an operation says that it is not served there."""
    told = contract()
    assert not PROMISE.applies(told, told.by_id["login"])
    assert PROMISE.applies(told, told.by_id["users.get"])
    off = {**told.document, "paths": json.loads(json.dumps(told.document["paths"]))}
    off["paths"]["/users/{id}"]["get"]["x-promises"]["transports"] = False
    again = type(told).read(off, "off")
    assert not PROMISE.applies(again, again.by_id["users.get"])


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        (RPC, False),
        ({"name": "rpc", "format": "json", "path": "/at"}, False),
        ({"name": "rpc", "format": "soap", "prefix": "/x"}, True),
        ({"name": "r/c", "format": "orpc", "prefix": "/x"}, True),
        ({"name": "rpc", "format": "orpc"}, True),
        ({"name": "rpc", "format": "orpc", "prefix": "x"}, True),
        ({"name": "rpc", "format": "orpc", "prefix": "/x", "path": "/y"}, True),
    ],
)
def test_annotation(told: dict[str, Any], *, wrong: bool) -> None:
    """A transport has a name, a known form, and a prefix or a path."""
    assert bool(problems(contract(told), PROMISES)) is wrong


def test_standing_promises_leave_another_wire_form_alone() -> None:
    """What was sent there has no operation, and its errors need not have the document's envelope."""
    told = contract(envelope=ENVELOPE, headers={"X-Request-ID": {}})
    history = [item for done in driven(Counter(contract=told), "users.get") for item in done.exchanges]
    outside = [item for item in history if not item.operation]
    assert outside
    assert all(item.case.startswith("transports/users.get/over rpc") for item in outside)
    assert [verdict for verdict in standing(told, outside) if verdict.examined] == []


def test_a_finding_is_shown_again_by_its_own_case() -> None:
    """Its code is of `roles`, and the promise that sent it judges it."""
    finding = Finding(
        "roles.role-allowed", "let in", Severity.HIGH, "notes.create", kind="reader over rpc",
        reproduction=Reproduction("transports/notes.create/over rpc", {}, ()),
    )  # fmt: skip
    run: Any = type("Run", (), {"contract": contract(), "random": lambda _self, _name: None})()
    made = case_again(run, finding)
    assert made is not None
    assert (made[0].key, made[1].name) == ("transports", "over rpc")
    made = case_again(run, replace(finding, code="schema.body"))
    assert made is not None
    assert (made[0].key, made[1].name) == ("schema", "over rpc")


def test_another_promise_does_not_judge_what_was_sent_there() -> None:
    """A case that is driven again for a finding of the envelope shows it by what has the document's form alone."""
    told = contract(envelope=ENVELOPE)
    assert PROMISE.cases is not None
    (case,) = PROMISE.cases(told, told.by_id["users.get"], Random(1))
    (done,) = driven(Counter(contract=told), "users.get")
    judges: list[Exchange] = []

    def judge(_contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
        judges.extend(exchanges)
        return Verdict("envelope", operation.id)

    run: Any = type("Run", (), {"contract": told, "driver": "", "masked": lambda _self, verdict: verdict})()
    judged_by(run, replace(BY_KEY["envelope"], judge=judge, masked=False), case, done)
    assert judges == [item for item in done.exchanges if item.operation]
    assert len(judges) < len(done.exchanges)


@pytest.mark.parametrize(("told", "place"), [(RPC, "/json/id"), (PLAIN, "/id")], ids=["orpc", "json"])
def test_secrets_of_an_answer_are_known_where_they_stand_there(told: dict[str, Any], place: str) -> None:
    """What the document's answer holds at a pointer is masked in the other form's answer too."""
    api = contract(told)
    operation = api.by_id["notes.create"]
    stage = Stage(api, Actors(IDENTITIES), Random(1), "n1")
    request = stage.request(operation.id, body={"title": "a"}, secret_pointers=("/id",))
    (door,) = doors(api, operation)
    sent = door.through(stage, operation, request)
    assert (sent.method, sent.operation, sent.secret_pointers) == ("POST", "", (place,))
