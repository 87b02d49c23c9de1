"""Which operation a concrete request belongs to, and what a document says of how an operation answers."""

from __future__ import annotations

from typing import Any

import pytest

from harness.contract import Contract


def operation(name: str, media_type: str = "application/json") -> dict[str, Any]:
    """An operation that answers one media type."""
    return {"operationId": name, "responses": {"200": {"description": "", "content": {media_type: {}}}}}


CONTRACT = Contract.read(
    {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/users/{id}": {"get": operation("get"), "delete": operation("delete")},
            "/users/me": {"get": operation("me")},
            "/events": {"get": operation("events", "text/event-stream; charset=utf-8")},
        },
    },
    "matching",
)


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/users/7", "get"),
        ("DELETE", "/users/7", "delete"),
        ("GET", "/users/me", "me"),
        ("DELETE", "/users/me", None),
        ("GET", "/users/7/more", None),
    ],
)
def test_a_path_without_parameters_goes_first(method: str, path: str, name: str | None) -> None:
    """A concrete path is never an instance of a template beside it, not even with a method that it has not."""
    found = CONTRACT.match(method, path)
    assert (found.id if found else None) == name


def test_an_operation_that_answers_events_streams() -> None:
    """Only an event stream is one, whatever its parameters."""
    assert [one.id for one in CONTRACT.operations if one.streams] == ["events"]
