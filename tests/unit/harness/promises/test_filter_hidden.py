"""The promise `filter` where a list shows some callers less: nobody finds by what others are shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.promises.filter.model import holds
from harness.promises.filter.rules import Rule
from harness.verdict import Status
from tests.unit.harness.promises.club_api import ROOT_ALONE, Club, document, examined

FAULTS = st.sampled_from(["", "", "", "", "lost", 429, 503])
LESS = "nobody else who may call it is shown less than the maker"


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(1, 99), masks=st.booleans(), phone=st.booleans())
def test_kept(seed: int, *, masks: bool, phone: bool) -> None:
    """A search that looks at what its caller is shown passes, whether the rest is left out or masked."""
    club = Club(frozenset({"masks"} if masks else ()), hidden=("email", "phone") if phone else ("email",))
    verdict = examined(club, seed=seed)
    assert (verdict.findings, verdict.reason, verdict.status) == ((), "", Status.PASS)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """However answers are lost or refused by a limit, a search that looks at what is shown has no finding."""
    assert examined(Club(fault=lambda _request: data.draw(FAULTS))).findings == ()


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 99))
def test_a_search_by_what_is_hidden(seed: int) -> None:
    """A search that hits by an e-mail which its caller is not shown is a finding, under a code of its own."""
    verdict = examined(Club(frozenset({"finds by e-mail"})), seed=seed)
    assert [(finding.code, finding.kind) for finding in verdict.findings] == [("filter.hidden", "search")]


@pytest.mark.parametrize(
    ("defects", "expected"),
    [
        ({"finds by phone"}, {"filter.hidden"}),  # a member that the search is not declared to look at
        ({"finds by e-mail", "masks"}, {"filter.unfit"}),  # it shows the member, with another value
        ({"counts all"}, {"filter.total"}),
    ],
)
def test_broken(defects: set[str], expected: set[str]) -> None:
    """Each way in which a hit tells what is hidden is found."""
    assert expected <= {finding.code for finding in examined(Club(frozenset(defects))).findings}


def test_nothing_is_judged_that_is_not_promised() -> None:
    """A search may find by an e-mail that it does not show, as invitations do, where `shown` is not declared."""
    verdict = examined(Club(frozenset({"finds by e-mail"}), document()))
    assert (verdict.findings, verdict.status) == ((), Status.PASS)


@pytest.mark.parametrize(
    ("club", "people"),
    [
        (Club(hidden=()), None),
        (Club(), ROOT_ALONE),
        (Club(told=document(most=2, shown=True)), None),
    ],
    ids=["all are shown all", "nobody else is had", "what is hidden is too long to be searched"],
)
def test_what_was_not_tried_is_no_pass(club: Club, people: dict[str, Any] | None) -> None:
    """Where nobody is shown less, or nothing hidden can be searched for, the promise is not examined and says so."""
    verdict = examined(club, **({"people": people} if people else {}))
    assert (verdict.findings, verdict.status) == ((), Status.INCONCLUSIVE)
    assert LESS in verdict.reason


@given(st.text("ab", max_size=3), st.text("ab", max_size=3))
def test_a_member_that_is_absent(text: str, name: str) -> None:
    """What an item does not show is open, or counts as what fits not; what it shows decides before that."""
    rule = Rule("q", "contains", ("/name", "/email"))
    assert holds(rule, text, {"name": name}) is (True if text in name else None)
    assert holds(rule, text, {"name": name}, absent=False) is (text in name)
