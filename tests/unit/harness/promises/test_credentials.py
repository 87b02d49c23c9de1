"""The promise `credentials`: kinds that do not hold, at an API that refuses them and at ones that take some."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import config, void
from harness.actors import Actors
from harness.cell import CellState
from harness.contract import Contract
from harness.drive import drive
from harness.errors import CannotTell, UsageError
from harness.exchange import Exchange, Request, Response
from harness.promises.credentials import PROMISE
from harness.stage import Stage
from harness.verdict import Status, Verdict
from tests.repo.sources import blocks
from tests.unit.harness.promises.shelf_api import IDENTITIES, Shelf
from tests.unit.harness.promises.shelf_document import document

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KINDS = ("expired", "revoked", "wrong-audience")
PEOPLE = {
    **IDENTITIES,
    "void": {
        "token_command": ["sign", "{kind}"],
        "kinds": ["expired", "wrong-audience"],
        "revoked": {"operation": "logout"},
    },
}
EVERY_KIND = {"garbage", "wrong scheme", "no scheme", "expired", "revoked", "wrong audience"}


def told(**promises: Any) -> Contract:
    """The shelf's contract, with a logout, and credentials promised."""
    value = document()
    value["x-promises"] |= promises
    value["security"] = [{"bearer": []}]
    value["components"] = {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}}
    value["paths"]["/logout"] = {"post": {"operationId": "logout", "responses": {"204": {"description": ""}}}}
    value["paths"]["/me"] = {"get": {"operationId": "me", "responses": {"200": {"description": ""}}}}
    return Contract.read(value, "shelf")


@dataclass
class Gate:
    """The shelf behind a gate that reads tokens `t-<person>`, with `.<kind>` behind it where they do not hold."""

    takes: frozenset[str] = frozenset()
    fault: Callable[[Request], str | int] = lambda _request: ""
    contract: Contract = field(default_factory=lambda: told(credentials={"invalid": 401, "kinds": list(KINDS)}))
    ended: set[str] = field(default_factory=set)
    over: set[str] | None = None  # people whose sessions have ended, where a logout ends those
    count: int = 0

    def __post_init__(self) -> None:
        self.shelf = Shelf(fault=self.fault)

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        header = dict(request.identity.headers).get("Authorization")
        if header is not None and not self._holds(header):
            return self._answered(request, Response(401))
        if request.operation == "logout" and header is not None:
            self.ended.add(header)
            if self.over is not None:
                self.over.add(header.rpartition(" ")[2].removeprefix("t-").partition(".")[0])
            return self._answered(request, Response(204))
        if request.operation == "me":
            return self._answered(request, Response(200 if header else 401))
        token = (header or "").split(" ")[-1].removeprefix("t-").split(".")[0]
        known = Request(
            **{**{name: getattr(request, name) for name in request.__slots__}, "identity": _as(request, token)}
        )
        return self._answered(request, self.shelf.send(known, case=case).response)

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """One after the other."""
        return tuple(self.send(request, case=case) for request in requests)

    def _answered(self, request: Request, answer: Response | None) -> Exchange:
        self.count += 1
        return Exchange(f"g{self.count}", request, answer, 0, 0, 0)

    def _holds(self, header: str) -> bool:
        scheme, _, token = header.rpartition(" ")
        name, _, kind = token.removeprefix("t-").partition(".")
        kind = kind if kind != "valid" else ""
        if scheme != "Bearer":
            kind = kind or ("no-scheme" if not scheme else "wrong-scheme")
        if name not in self.shelf.people:
            kind = kind or "garbage"
        if header in self.ended or name in (self.over or ()):
            return "revoked" in self.takes
        return not kind or kind in self.takes


def _as(request: Request, token: str) -> Any:
    who = request.identity
    headers = (("Authorization", f"Bearer t-{token}"),) if token else ()
    return type(who)(who.name, who.roles, who.tenant, headers, who.facts)


def sign(command: Sequence[str], _environment: Mapping[str, str], token: str, _folder: str) -> str:
    """What the project's command would print."""
    return f"{token}.{command[1]}"


def examined(
    gate: Gate, operation_id: str, people: Mapping[str, Any] = PEOPLE, actors: Actors | None = None
) -> Verdict:
    """The verdict on an operation, judged from what a history would keep."""
    operation = gate.contract.by_id[operation_id]
    assert PROMISE.cases is not None
    assert PROMISE.judge is not None
    (case,) = PROMISE.cases(gate.contract, operation, Random(1))
    stage = Stage(gate.contract, actors or Actors(people, forge=sign), Random(1), f"n{operation_id}")
    driven = drive(case, stage, gate, sleep=lambda _seconds: None)
    kept = [Exchange.from_record(json.loads(json.dumps(exchange.to_record()))) for exchange in driven.exchanges]
    verdict = PROMISE.judge(gate.contract, operation, kept)
    reason = "; ".join(filter(None, (driven.reason, verdict.reason)))
    return Verdict(verdict.promise, operation_id, verdict.examined, verdict.findings, reason, cells=verdict.cells)


def test_kept() -> None:
    """Every operation of an API that refuses what does not hold passes for every kind, open ones too."""
    gate = Gate()
    for operation in gate.contract.operations:
        verdict = examined(gate, operation.id)
        assert (verdict.status, verdict.findings, verdict.reason) == (Status.PASS, (), ""), operation.id
        assert {cell.identity for cell in verdict.cells if cell.state is CellState.HELD} == EVERY_KIND


@pytest.mark.parametrize("kind", ["wrong-scheme", "no-scheme", "expired", "revoked", "wrong-audience"])
@pytest.mark.parametrize("operation", ["notes.create", "notes.delete", "users.update"])
def test_broken(kind: str, operation: str) -> None:
    """A kind that is taken is one finding, of that kind, and a broken cell of the matrix."""
    verdict = examined(Gate(frozenset({kind})), operation)
    column = kind.replace("-", " ")
    assert [(finding.code, finding.kind) for finding in verdict.findings] == [("credentials.taken", column)]
    assert [cell.identity for cell in verdict.cells if cell.state is CellState.BROKEN] == [column]


@pytest.mark.parametrize("kind", ["expired", "wrong-audience"])
def test_a_session_that_a_bad_credential_ended_is_used_no_more(kind: str) -> None:
    """Where it is taken at a logout too, the operations that come after are tried with credentials of a new session."""
    gate, actors = Gate(frozenset({kind}), over=set()), Actors(PEOPLE, forge=sign)
    for operation in ("logout", "me", "notes.create", "notes.delete"):
        verdict = examined(gate, operation, actors=actors)
        assert [finding.kind for finding in verdict.findings] == [kind.replace("-", " ")], operation


def test_the_example_of_the_page_is_examined() -> None:
    """What the page's overlay promises is kept by an API that refuses each kind; one that takes a kind is caught."""
    block, _ = blocks(Path("docs/promises/credentials.md"), "yaml")
    (action,) = yaml.safe_load(block.body)["actions"]
    promised = told(**action["update"]["x-promises"])
    kept = examined(Gate(contract=promised), "notes.create")
    assert (kept.status, kept.findings, kept.reason) == (Status.PASS, (), "")
    assert kept.examined == len(EVERY_KIND)
    broken = examined(Gate(frozenset({"expired"}), contract=promised), "notes.create")
    assert [finding.code for finding in broken.findings] == ["credentials.taken"]


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """Lost answers, limits and server errors are no finding."""

    def fault(request: Request) -> str | int:
        faults = st.sampled_from(["", "lost", "dropped", 429, 503])
        return data.draw(faults) if request.step.startswith(("void", "before", "after", "again")) else ""

    assert examined(Gate(fault=fault), data.draw(st.sampled_from(["notes.delete", "users.update"]))).findings == ()


def test_what_cannot_be_had_is_told() -> None:
    """A promised kind that harness.toml does not tell makes the verdict inconclusive, and says what to write."""
    verdict = examined(Gate(), "notes.create", IDENTITIES)
    assert verdict.status is Status.INCONCLUSIVE
    assert verdict.findings == ()
    for words in ("expired", "wrong-audience", "identities.void.revoked", "token_command"):
        assert words in verdict.reason
    unknown = {cell.identity for cell in verdict.cells if cell.state is CellState.UNKNOWN}
    assert unknown == {"expired", "revoked", "wrong audience"}


def test_without_a_promise_made_up_ones_are_tried() -> None:
    """Where only `security` asks for an identity, what nobody was given is tried, and what is not told is no reason."""
    gate = Gate(contract=told())
    verdict = examined(gate, "me", IDENTITIES)
    assert (verdict.status, verdict.examined) == (Status.PASS, 1)


def test_a_command_with_another_key_shows_nothing() -> None:
    """Where the token that is signed as valid is refused, no kind of that command counts as examined."""

    def wrong(command: Sequence[str], _environment: Mapping[str, str], _token: str, _folder: str) -> str:
        return f"t-nobody.{command[1]}"

    gate = Gate()
    stage = Stage(gate.contract, Actors(PEOPLE, forge=wrong), Random(1), "n1")
    (case,) = PROMISE.cases(gate.contract, gate.contract.by_id["me"], Random(1)) if PROMISE.cases else ()
    driven = drive(case, stage, gate)
    assert "must sign with the API's own key" in driven.reason
    assert not [item for item in driven.exchanges if item.request.step == "void:expired"]


def test_every_problem_of_the_table_is_told_at_once(tmp_path: Path) -> None:
    """A command without kinds or place for them, and a kind told twice, are problems together."""
    table = {"token_command": ["sign"], "tokens": {"revoked": "x"}, "revoked": {"operation": "logout"}}
    with pytest.raises(UsageError) as error:
        config.checked({"identities": {"void": table}}, tmp_path, "it")
    assert len(error.value.problems) == 3


def test_kinds() -> None:
    """What needs nothing comes first, each kind once."""
    assert void.kinds(PEOPLE, KINDS) == ("garbage", "wrong-scheme", "no-scheme", *KINDS)
    with pytest.raises(CannotTell):
        Actors(PEOPLE).forge(["x"], {}, "t", "")
