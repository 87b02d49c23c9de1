"""Which phases run for the words of `--only`, and which words are known."""

from __future__ import annotations

import pytest

from harness import selection
from harness.contract import Contract
from harness.errors import UsageError

CONTRACT = Contract(
    {
        "openapi": "3.1.0",
        "info": {"title": "One", "version": "1"},
        "paths": {"/one": {"get": {"operationId": "one.get", "responses": {}}}},
    }
)


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (set(), ["promises", "fuzz", "load"]),
        ({"fuzz"}, ["fuzz"]),
        ({"load", "promises"}, ["promises", "load"]),
        ({"roles"}, ["promises"]),
        ({"one.get"}, ["promises"]),
        ({"objective"}, ["load"]),
        ({"roles", "fuzz"}, ["promises", "fuzz"]),
        ({"load", "roles"}, ["promises", "load"]),
    ],
)
def test_the_phases_that_run(only: set[str], expected: list[str]) -> None:
    """All, or those named and those that examine what is named: nothing that was asked for is left out."""
    assert list(selection.phases(only)) == expected


def test_words_that_are_known() -> None:
    """Phases, promises and operations of the contract."""
    selection.check(frozenset({"fuzz", "roles", "rate-limit", "one.get"}), CONTRACT)


def test_words_that_are_not_known() -> None:
    """Each is told with what is near to it, and once all that there is."""
    with pytest.raises(UsageError) as caught:
        selection.check(frozenset({"fuz", "one.gets", "qqq", "roles"}), CONTRACT)
    assert caught.value.problems[:3] == (
        "'fuz' is no phase, promise or operation of the contract; near are fuzz",
        "'one.gets' is no phase, promise or operation of the contract; near are one.get",
        "'qqq' is no phase, promise or operation of the contract",
    )
    assert caught.value.problems[3].startswith("phases are promises, fuzz, load; promises are schema, ")
