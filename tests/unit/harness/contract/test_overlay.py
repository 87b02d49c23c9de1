"""OpenAPI Overlay 1.0: actions are applied in order, and what is wrong is told whole."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from harness.contract.overlay import applied
from harness.errors import UsageError

PETS: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "pets", "version": "1"},
    "tags": [{"name": "a"}],
    "paths": {
        "/pets": {"get": {"operationId": "pets.list"}, "post": {"operationId": "pets.add"}},
        "/pets/{id}": {"get": {"operationId": "pets.get", "deprecated": True}},
    },
}


def overlay(*actions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An overlay of these actions."""
    return {"overlay": "1.0.0", "info": {"title": "o", "version": "1"}, "actions": list(actions), **more}


def test_an_update_is_merged_into_objects() -> None:
    """Members are added and replaced, objects inside merged, the rest kept."""
    action = {"target": "$.paths['/pets'].post", "update": {"x-promises": {"owner": {"resource": "pet"}}}}
    done = applied(PETS, overlay(action), "o")
    assert done["paths"]["/pets"]["post"] == {
        "operationId": "pets.add",
        "x-promises": {"owner": {"resource": "pet"}},
    }


def test_an_update_of_a_list_appends() -> None:
    """Where the target is a list the update is one more member of it."""
    done = applied(PETS, overlay({"target": "$.tags", "update": {"name": "b"}}), "o")
    assert done["tags"] == [{"name": "a"}, {"name": "b"}]


def test_a_target_may_meet_many_places() -> None:
    """An action is applied wherever its JSONPath leads."""
    done = applied(PETS, overlay({"target": "$.paths.*.get", "update": {"tags": ["read"]}}), "o")
    assert [item["get"]["tags"] for item in done["paths"].values()] == [["read"], ["read"]]


def test_remove_takes_the_place_away() -> None:
    """A removed member is gone, its siblings stay."""
    done = applied(PETS, overlay({"target": "$.paths['/pets/{id}'].get.deprecated", "remove": True}), "o")
    assert done["paths"]["/pets/{id}"] == {"get": {"operationId": "pets.get"}}


def test_actions_are_applied_in_their_order() -> None:
    """A later action sees what an earlier one did."""
    done = applied(
        PETS,
        overlay(
            {"target": "$.info", "update": {"x-a": {"one": 1}}},
            {"target": "$.info['x-a']", "update": {"two": 2}},
            {"target": "$.info['x-a'].one", "remove": True},
        ),
        "o",
    )
    assert done["info"]["x-a"] == {"two": 2}


def test_the_document_that_was_given_is_not_changed() -> None:
    """The result is a copy, and shares nothing with the overlay."""
    before = copy.deepcopy(PETS)
    action = {"target": "$.paths.*.get", "update": {"x-a": {}}}
    done = applied(PETS, overlay(action), "o")
    done["paths"]["/pets"]["get"]["x-a"]["changed"] = True
    assert before == PETS
    assert action["update"] == {"x-a": {}}
    assert done["paths"]["/pets/{id}"]["get"]["x-a"] == {}


def test_every_problem_is_told_at_once() -> None:
    """An unknown key, a wrong version, a bad path and a double action stand in one message."""
    wrong = overlay(
        {"target": "$.paths[", "update": {}},
        {"target": "$.info", "updates": {}},
        {"target": "$.info", "update": {}, "remove": True},
        acts=[],
    ) | {"overlay": "2.0"}
    with pytest.raises(UsageError) as told:
        applied(PETS, wrong, "o.yaml")
    text = str(told.value)
    for expected in (
        "acts",
        "'2.0'",
        "actions[0]",
        "'updates'",
        "actions[1]: it must have",
        "actions[2]: it must have",
    ):
        assert expected in text


@pytest.mark.parametrize("value", [None, [], "text", {"overlay": "1.0.0"}, {"overlay": "1.0.0", "actions": []}])
def test_what_is_no_overlay_is_refused(value: Any) -> None:
    """Anything else than an object with actions is a usage error."""
    with pytest.raises(UsageError, match="is not a valid OpenAPI Overlay"):
        applied(PETS, value, "o.yaml")


def test_a_target_that_meets_nothing_is_refused() -> None:
    """An action that changes nothing is a misspelling, and every one is named."""
    actions = [{"target": f"$.paths['/{name}'].get", "update": {}} for name in ("cats", "dogs")]
    with pytest.raises(UsageError) as told:
        applied(PETS, overlay(*actions), "o.yaml")
    assert len(told.value.problems) == 2
