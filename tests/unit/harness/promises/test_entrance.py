"""The promise `resource` at an operation that makes a thing beside its create: a sign-up, which makes a user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Contract
from harness.promises.resource import PROMISE
from harness.promises.resource.entrance import entered
from harness.promises.wrong_values import in_body
from tests.unit.harness.promises.shelf_api import Refused, Shelf, examined
from tests.unit.harness.promises.shelf_document import NEW_USER, TEXT, USER, document

if TYPE_CHECKING:
    from harness.exchange import Request

NAMED = {"$ref": "#/components/schemas/User"}


def porch(
    *, status: str = "201", shown: Any = NAMED, path: str = "/sign-up", method: str = "post", body: bool = True
) -> dict[str, Any]:
    """The shelf's document, whose users have a schema by name, with a sign-up."""
    told = document()
    person = {"type": "object", "properties": USER, "required": ["id"], "additionalProperties": False}
    told["components"] = {"schemas": {"User": person, "Welcome": {"type": "object", "properties": {"id": TEXT}}}}
    for at, name in (("/users", "post"), ("/users/{id}", "get")):
        content = told["paths"][at][name]["responses"]["200"]["content"]
        content["application/json"]["schema"] = NAMED
    answer = {"description": "", "content": {"application/json": {"schema": shown}}}
    parameters = [{"name": "id", "in": "path", "required": True, "schema": TEXT}] if "{" in path else []
    sent = {"requestBody": {"required": True, "content": {"application/json": {"schema": NEW_USER}}}} if body else {}
    operation = {"operationId": "signUp", "responses": {status: answer}, "parameters": parameters, **sent}
    told["paths"][path] = {method: {**operation, "x-promises": {"roles": {"allow": ["anyone"]}}}}
    return told


def read(told: dict[str, Any]) -> Contract:
    """The contract of a document."""
    return Contract.read(told, "porch")


@dataclass
class Porch(Shelf):
    """The shelf with a sign-up that refuses what it does not know, or passes over it, takes it, or takes roles."""

    manner: str = "refuses"

    def _handle(self, request: Request) -> Any:
        if request.operation != "signUp":
            return (yield from super()._handle(request))
        yield
        body = request.json()
        more = {name: body[name] for name in set(body) - {"email", "name", "password"}}
        if more and self.manner == "refuses":
            raise Refused(422)
        _, person = self._enter("users.create", body)
        if self.manner == "promotes":
            person["roles"] = ["reader", "admin"]
        if self.manner == "takes":
            person |= more
        if self.manner == "adds roles":
            person["roles"] = [*person["roles"], *more.get("roles", ())]
        return 201, dict(person)


@pytest.mark.parametrize("manner", ["refuses", "passes over", "promotes"])
def test_kept(manner: str) -> None:
    """A sign-up that refuses roles, passes over them, or gives its own whoever asks, is examined and not accused."""
    verdict = examined(PROMISE, Porch(contract=read(porch()), manner=manner), "signUp")
    assert (verdict.findings, verdict.reason) == ((), "")
    assert verdict.examined


@pytest.mark.parametrize("manner", ["takes", "adds roles"])
def test_roles_that_one_gives_oneself(manner: str) -> None:
    """Roles that come back as they were sent, alone or beside others, are a critical finding."""
    verdict = examined(PROMISE, Porch(contract=read(porch()), manner=manner), "signUp")
    found = {(finding.code, finding.kind, finding.severity.value) for finding in verdict.findings}
    assert ("resource.mass-assignment", "/roles", "critical") in found


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """Lost answers, limits and server errors are no finding, whatever the sign-up does with what it is sent."""

    def fault(request: Request) -> str | int:
        return data.draw(st.sampled_from(["lost", "dropped", 429, 503])) if request.step.startswith("tr") else ""

    shelf = Porch(contract=read(porch()), manner="takes", fault=fault)
    assert examined(PROMISE, shelf, "signUp").findings == ()


@given(
    status=st.sampled_from(["200", "201", "202"]),
    path=st.sampled_from(["/sign-up", "/users/{id}/copies"]),
    method=st.sampled_from(["post", "put"]),
    shown=st.sampled_from([NAMED, {"type": "object", "properties": USER}, {"$ref": "#/components/schemas/Welcome"}]),
    body=st.booleans(),
)
def test_what_makes_a_thing(status: str, path: str, method: str, shown: Any, *, body: bool) -> None:
    """Only a POST with a body that answers 201 with the schema of one resource by its name makes one beside it."""
    contract = read(porch(status=status, shown=shown, path=path, method=method, body=body))
    made = entered(contract, contract.by_id["signUp"])
    fits = (status, path, method, shown, body) == ("201", "/sign-up", "post", NAMED, True)
    assert (made.create if made else "") == ("signUp" if fits else "")


def test_a_schema_of_two_resources_tells_neither() -> None:
    """Where two resources answer the same schema, nothing says which of them is made."""
    told = porch()
    told["paths"]["/notes/{id}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = NAMED
    contract = read(told)
    assert entered(contract, contract.by_id["signUp"]) is None
    assert not PROMISE.applies(contract, contract.by_id["signUp"])


def test_a_list_that_the_server_fills_is_sent_with_an_item() -> None:
    """What a schema lacks and the answer shows is sent as one would send it who wants it: a list is not empty."""
    contract = read(porch())
    sent = {
        wrong.place: wrong.value for wrong in in_body(contract, contract.by_id["signUp"]) if wrong.rule == "computed"
    }
    assert sent["/roles"]
