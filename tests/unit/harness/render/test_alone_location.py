"""The Location that a finding's own test file follows: its path and its query as the answer tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.harness.render.shelf import GONE, READ, Shown, nowhere, said, step
from tests.unit.harness.render.test_alone_sequences import loaded, ran

if TYPE_CHECKING:
    from types import ModuleType

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
FOLLOWED = [step("make", "made"), nowhere("get", "followed", "wrong")]


def followed(**recorded: Any) -> Shown:
    """The finding whose Location was followed to nothing; `recorded` replace what the step of that had."""
    return Shown("http.location", "", "make", [FOLLOWED[0], {**FOLLOWED[1], **recorded}], (), ())


@pytest.fixture(scope="module")
def file() -> ModuleType:
    """The file of such a finding as a module."""
    return loaded(followed())


@given(TEXTS, st.lists(st.tuples(TEXTS, TEXTS), max_size=3))
def test_any_location_is_sent_as_it_was_told(file: ModuleType, name: str, query: list[tuple[str, str]]) -> None:
    """A path that is escaped stays so, with a slash in a name too, and every parameter of its query goes along."""
    location = f"/books/x{quote(name, safe='')}" + (f"?{urlencode(query)}" if query else "")
    path, asked = file.leads(file.Answer(1, 201, {"location": location}, b"", "/books?a=1", b""))
    assert quote(path, safe="/!$&'()*+,;=:@-._~%") + (f"?{urlencode(asked)}" if asked else "") == location


@pytest.mark.parametrize("recorded", [{}, {"query": [["id", "old"]]}])
def test_the_query_is_that_of_the_location(recorded: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is followed is what is answered now, whatever the address had when it was recorded."""
    monkeypatch.setenv("BASE_URL", "http://127.0.0.1:9")
    found = {"path": "/look%2Fup", "query": [("id", "n 1"), ("all", "")]}

    def answered(sent: list[dict[str, Any]]) -> Any:
        return READ if {name: sent[-1].get(name) for name in found} == found else GONE

    assert len(ran(followed(**recorded), [said(201, None, location="/look%2Fup?id=n%201&all="), answered])) == 2
    with pytest.raises(AssertionError, match="It holds"):
        ran(followed(**recorded), [said(201, None, location="/look%2Fup?id=n2&all="), answered])
    ran(
        followed(**recorded),
        [said(201, None, location="/books/n1"), lambda sent: READ if not sent[-1]["query"] else GONE],
    )
