"""A document as a framework writes it, by no one here: long names, unions with null, trees, ids named after things."""

from __future__ import annotations

import json
import re
from random import Random
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest

from harness import things
from harness.actors import Actors
from harness.case import Case, one
from harness.contract import Contract
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.identities import Identity
from harness.promises import survey
from harness.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.case import Steps
    from harness.drive import Driven

ID = {"type": "string", "format": "uuid"}
TREE = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "parent": {"anyOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]},
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
    },
}
NEW = {
    "type": "object",
    "required": ["name", "shelf_id"],
    "properties": {
        "name": {"anyOf": [{"type": "string", "minLength": 3, "pattern": "[a-zA-Z0-9_-]+$"}, {"type": "null"}]},
        "shelf_id": {"anyOf": [ID, {"type": "null"}]},
        "tree": {"$ref": "#/components/schemas/Tree"},
    },
}


def operation(name: str, *, takes: Any = None, gives: Any = None, ids: Sequence[str] = ()) -> dict[str, Any]:
    """An operation as the framework writes it: every answer 200 or 201, and no error but 422."""
    content = {"application/json": {"schema": gives or {}}}
    body = {"requestBody": {"required": True, "content": {"application/json": {"schema": takes}}}} if takes else {}
    return {
        "operationId": name,
        "security": [{"bearer": []}],
        "parameters": [{"name": told, "in": "path", "required": True, "schema": ID} for told in ids],
        "responses": {"201" if takes else "200": {"description": "", "content": content}, "422": {"description": ""}},
        **body,
    }


def document() -> dict[str, Any]:
    """Boxes on shelves, what is in a box, and marks that no operation makes."""
    box = {"type": "object", "properties": {"box_id": ID, "name": {"type": "string"}}}
    shelf = {"type": "object", "properties": {"shelf_id": ID}}
    named = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    paths = {
        "/v3/shelves": {"post": operation("create_shelf_v3_shelves_post", takes=named, gives=shelf)},
        "/v3/shelves/{shelf_id}": {"get": operation("get_shelf_v3", gives=shelf, ids=["shelf_id"])},
        "/v3/boxes": {
            "get": operation("get_boxes_v3_boxes_get", gives={"type": "array", "items": box}),
            "post": operation("create_box_v3_boxes_post", takes=NEW, gives=box),
        },
        "/v3/boxes/{box_id}": {
            "get": operation("get_box_v3_boxes__box_id__get", gives=box, ids=["box_id"]),
            "put": operation("update_box_v3_boxes__box_id__put", takes=named, gives=box, ids=["box_id"]),
        },
        "/v3/boxes/{box_id}/lock": {"post": operation("lock_box_v3", ids=["box_id"])},
        "/v3/boxes/{box_id}/marks/{mark_id}": {"put": operation("mark_box_v3", ids=["box_id", "mark_id"])},
    }
    components = {"schemas": {"Tree": TREE}, "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths, "components": components}


CONTRACT = Contract.read(document(), "stranger")
KNOWN = {"known": [{"name": "ann", "roles": ["admin"], "headers": {"Authorization": "Bearer x"}}]}


class Api:
    """Makes boxes and shelves with fresh ids, and takes a name once."""

    def __init__(self) -> None:
        self.sent: list[Request] = []
        self.names: set[str] = set()

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One exchange; a name that is taken is 400."""
        self.sent.append(request)
        name = (request.json() or {}).get("name", "") if isinstance(request.json(), dict) else ""
        status = 400 if name and name in self.names else 201 if request.method == "POST" else 200
        self.names |= {name}
        made = f"00000000-0000-4000-8000-{len(self.sent):012}"
        body = json.dumps({"box_id": made, "shelf_id": made}).encode()
        answer = Response(status, (("Content-Type", "application/json"),), body)
        return Exchange(f"e{len(self.sent)}", request, answer, 0, 0, 1, case=case)

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """One after the other."""
        return tuple(self.send(request, case=case) for request in requests)


def called(api: Api, name: str, seed: int = 1, *, everything: bool = False) -> Driven:
    """A valid call of an operation, with what it needs made before."""

    def steps(stage: Stage) -> Steps[None]:
        who = Identity("ann", ("admin",), headers=(("Authorization", "Bearer x"),))
        request = yield from things.valid(stage, CONTRACT.by_id[name], identity=who, everything=everything)
        yield from one(request)

    stage = Stage(CONTRACT, Actors(KNOWN), Random(seed), f"n{seed}")
    return drive(Case("schema", name, "valid", steps), stage, api)


def test_resources_are_known_by_their_paths() -> None:
    """The id is the member that the path's parameter names; a list without a name is the body itself."""
    told = {item.name: (item.id, item.items, item.update) for item in CONTRACT.resources}
    assert told == {
        "shelve": ("/shelf_id", "", ""),
        "box": ("/box_id", "", "update_box_v3_boxes__box_id__put"),
    }


@pytest.mark.parametrize("name", ["update_box_v3_boxes__box_id__put", "lock_box_v3"])
def test_what_a_path_names_is_made_before(name: str) -> None:
    """A path below a collection is filled with the id of a fresh thing of it."""
    api = Api()
    assert called(api, name).reason == ""
    made, used = api.sent[-2:]
    assert made.operation == "create_box_v3_boxes_post"
    assert re.search(r"/boxes/00000000-0000-4000-8000-\d{12}", used.path)


def test_a_tree_without_end_is_drawn_and_fits() -> None:
    """With every member asked for, a schema that holds itself and unions with null still give a valid body."""
    api = Api()
    validator = jsonschema_rs.Draft202012Validator({**NEW, "components": {"schemas": {"Tree": TREE}}})
    for seed in range(20):
        assert called(api, "create_box_v3_boxes_post", seed, everything=True).reason == ""
        assert list(validator.iter_errors(api.sent[-1].json())) == []


def test_names_are_taken_once() -> None:
    """Bodies of several draws and runs clash in no name, so that a refusal is the API's word on the body."""
    api = Api()
    statuses = [called(api, "create_box_v3_boxes_post", seed).exchanges[-1].status for seed in range(30)]
    assert statuses == [201] * 30


def test_what_cannot_be_worked_out_is_told_with_the_way_out() -> None:
    """A mark that no operation makes is named, with what to write."""
    reason = called(Api(), "mark_box_v3").reason
    assert "{mark_id}" in reason
    assert "example" in reason
    assert "x-promises.resource" in reason


def test_the_survey_makes_calls_of_every_operation() -> None:
    """Beside the one that cannot be worked out, each operation is sent as it should be at least once."""
    api = Api()
    for item in CONTRACT.operations:
        for number, case in enumerate(survey.cases(CONTRACT, item, Random(1))):
            drive(case, Stage(CONTRACT, Actors(KNOWN), Random(number), f"{item.id}{number}"), api, sleep=lambda _: None)
    valid = {request.operation for request in api.sent if request.step.startswith("valid")}
    assert set(CONTRACT.by_id) - valid == {"mark_box_v3"}
