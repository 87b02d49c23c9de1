"""The test file of a finding over another transport: it fails where the guard is missing, and only there."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.codes import CODES
from harness.exchange import Request
from harness.exits import Exit
from harness.finding import Finding, Reproduction
from harness.identities import Identity
from harness.promises.transports import PROMISE
from harness.render import alone, assertion
from harness.report import Report, RunStatus, Target
from harness.sequence import cut
from tests.unit.harness.promises.counter_api import Counter as Doors
from tests.unit.harness.promises.counter_api import driven
from tests.unit.harness.promises.shelf_api import Shelf
from tests.unit.harness.render.defined import defined

if TYPE_CHECKING:
    from types import ModuleType


LONG = 1_000_000
"""Ids so long that they are followed from answer to request."""


class Acting(Shelf):
    """It refuses nobody's change of roles and does something."""

    def _handle(self, request: Request) -> Any:
        if request.operation == "users.roles" and not request.identity.headers:
            self.people[request.path.split("/")[2]]["name"] = "acted"
        return super()._handle(request)


def found(counter: Doors, name: str, monkeypatch: pytest.MonkeyPatch) -> Finding:
    """The one finding at an operation, with its sequence; the variables have the credentials that it was found with."""
    assert PROMISE.judge is not None
    (done,) = driven(counter, name)
    (finding,) = PROMISE.judge(counter.contract, counter.contract.by_id[name], done.exchanges).findings
    steps = cut(done.exchanges, finding.witnesses)
    monkeypatch.setenv("BASE_URL", "http://127.0.0.1:9")
    callers = {item.request.identity.name: item.request.identity for item in done.exchanges}
    count: Counter[str] = Counter()
    for who in (callers[name] for name in dict.fromkeys(step["identity"]["name"] for step in steps)):
        for role in who.roles[:1]:
            count[role] += 1
            word = f"{role.upper()}_{count[role]}".removesuffix("_1")
            monkeypatch.setenv(f"{word}_TOKEN", dict(who.headers)["Authorization"].removeprefix("Bearer "))
            monkeypatch.setenv(f"{word}_ID", who.id)
    return replace(finding, reproduction=Reproduction("", {}, steps))


def loaded(counter: Doors, finding: Finding) -> ModuleType:
    """The file of a finding as a module."""
    report = Report("run", RunStatus.COMPLETE, Exit.FINDINGS, Target("url", "http://127.0.0.1:9"), findings=(finding,))
    return defined(alone.render(finding, report, assertion.asserted(counter.contract, finding, {})).decode())


def ran(module: ModuleType, counter: Doors) -> None:
    """Runs the file's test at an API."""

    def send(number: int, method: str, path: str, body: bytes | None = None, headers: Any = (), **_: Any) -> Any:
        proof = tuple(pair for pair in headers if pair[0] == "Authorization")
        operation = counter.contract.match(method, path)
        who = Identity("x", headers=proof)
        name = operation.id if operation else ""
        request = Request(method, path, name, headers=tuple(headers), body=body, identity=who)
        response = counter.send(request).response
        assert response is not None
        told = {key.lower(): value for key, value in response.headers}
        return module.Answer(number, response.status, told, response.body, path, body or b"")

    module.__dict__["send"] = send
    getattr(module, next(name for name in vars(module) if name.startswith("test_")))()


@pytest.mark.parametrize(
    ("defect", "name"),
    [
        ("any role", "notes.create"),
        ("open users.get", "users.get"),
        ("open notes.delete", "notes.delete"),
        ("open notes.update", "notes.update"),
    ],
)
def test_it_fails_on_the_fault_and_passes_without(defect: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It calls the other door as the finding did."""
    counter = Doors(behind=frozenset({defect}), numbers=itertools.count(LONG))
    finding = found(counter, name, monkeypatch)
    assert finding.code in CODES
    with pytest.raises(AssertionError, match=r"over rpc too.*But step \d+ was answered 20"):
        ran(loaded(counter, finding), counter)
    ran(loaded(counter, finding), replace(counter, behind=frozenset()))


def test_an_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was refused and done all the same is read before and after."""
    counter = Doors(inner=Acting, numbers=itertools.count(LONG))
    finding = found(counter, "users.roles", monkeypatch)
    assert finding.code == "roles.effect"
    for person in counter.people.values():
        person["name"] = "as before"
    with pytest.raises(AssertionError):
        ran(loaded(counter, finding), counter)
    ran(loaded(counter, finding), replace(counter, inner=Shelf))
