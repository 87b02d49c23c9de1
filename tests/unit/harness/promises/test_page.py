"""The promise `page`: each thing once, totals that agree, bounds that refuse, on lists of any style."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Contract
from harness.exchange import Exchange, Request, Response
from harness.promises.filter import PROMISE as FILTER
from harness.promises.filter.rules import sent_at
from harness.promises.page import ANNOTATION, PROMISE, applies
from harness.promises.paging import paging
from harness.promises.resource import PROMISE as RESOURCE
from harness.promises.walking import ended
from harness.verdict import Status
from tests.unit.harness.promises.beach_api import Beach, examined, faults
from tests.unit.harness.promises.beach_document import TEXT, document

if TYPE_CHECKING:
    from harness.promises.promise import Promise

STYLES = ["page", "offset", "cursor", "link"]
FAULTS = st.sampled_from(["", "", "", "", "lost", 429, 503])


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(STYLES), st.integers(0, 30), st.booleans(), st.booleans(), st.integers(1, 99))
def test_kept(style: str, others: int, filters: bool, oldest: bool, seed: int) -> None:  # noqa: FBT001 - drawn
    """A correct list of any style, length and order passes, narrowed by a filter or walked whole."""
    defects = frozenset({"oldest first"} if oldest else ())
    beach = Beach(defects, style, others, told=document(style, filters=filters))
    verdict = examined(PROMISE, beach, seed=seed)
    assert (verdict.findings, verdict.reason, verdict.status) == ((), "", Status.PASS)
    assert verdict.examined > 10


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_no_answer_no_finding(data: st.DataObject) -> None:
    """However answers are lost or refused by a limit, a correct list has no finding."""
    style = data.draw(st.sampled_from(STYLES))
    beach = Beach(style=style, others=3, fault=lambda _request: data.draw(FAULTS))
    assert examined(PROMISE, beach).findings == ()


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(STYLES), st.booleans(), st.data())
def test_others_may_make_things(style: str, filters: bool, data: st.DataObject) -> None:  # noqa: FBT001 - drawn
    """What others make while the list is walked is no fault of the list."""

    def meanwhile(beach: Beach) -> None:
        if data.draw(st.booleans()):
            beach.add({"name": "another's", "boxId": "b0"})

    beach = Beach(style=style, others=9, meanwhile=meanwhile, told=document(style, filters=filters))
    assert examined(PROMISE, beach).findings == ()


@pytest.mark.parametrize("filters", [True, False])
@pytest.mark.parametrize(
    ("defect", "style", "expected"),
    [
        ("unlisted", "page", {"page.missing"}),
        ("skips one", "page", {"page.missing"}),
        ("skips one", "cursor", {"page.missing"}),
        ("overlaps", "offset", {"page.duplicate"}),
        ("second page first", "page", {"page.missing"}),
        ("pages grow", "page", {"page.duplicate", "page.size"}),
        ("total of the page", "page", {"page.total"}),
        ("pages floored", "page", {"page.total"}),
        ("gives one more", "offset", {"page.size"}),
        ("no default", "cursor", {"page.size"}),
        ("past 404", "page", {"page.past-end"}),
        ("low taken", "page", {"page.bounds"}),
        ("endless", "page", {"page.bounds"}),
        ("text taken", "offset", {"page.bounds"}),
        ("text 500", "page", {"page.bounds"}),
        ("uncapped", "link", {"page.bounds"}),
        ("inserts lose", "offset", {"page.missing"}),
    ],
)
def test_broken(defect: str, style: str, expected: set[str], filters: bool) -> None:  # noqa: FBT001 - a parameter
    """Each defect is found under its code, whether the list is narrowed or walked whole."""
    beach = Beach(frozenset({defect}), style, 8, told=document(style, filters=filters))
    assert expected <= faults(examined(PROMISE, beach)), defect


def test_a_total_without_the_filter() -> None:
    """A total that counts what the filter leaves out is found on a narrowed walk."""
    assert faults(examined(PROMISE, Beach(frozenset({"total unfiltered"}), others=8))) == {"page.total"}


def test_equal_keys_in_any_order() -> None:
    """A list that shuffles what is equal loses things or tells another order."""
    found = [faults(examined(PROMISE, Beach(frozenset({"ties shuffled"}), others=8), seed=seed)) for seed in range(6)]
    assert any(found)
    assert set().union(*found) <= {"page.missing", "page.duplicate", "page.order"}


def test_bounds_of_an_unlimited_list_are_grave() -> None:
    """A page of more things than the most that may be asked for is high; one that is only not refused is medium."""
    verdict = examined(PROMISE, Beach(frozenset({"uncapped"}), others=20))
    assert {(f.kind, f.severity.value) for f in verdict.findings} == {("limit over", "high")}
    verdict = examined(PROMISE, Beach(frozenset({"uncapped"})), only="bounds")
    assert {(f.kind, f.severity.value) for f in verdict.findings} == {("limit over", "medium")}


def test_what_is_told_of_the_end_and_of_sizes_is_what_counts() -> None:
    """A list that says so may answer 404 past its end, and may serve the most where more is asked."""
    page = {**document()["paths"]["/pebbles"]["get"]["x-promises"]["page"], "past": 404, "over": "capped"}
    beach = Beach(frozenset({"past 404", "capped"}), others=20, told=document(page=page))
    assert examined(PROMISE, beach).findings == ()
    assert faults(examined(PROMISE, Beach(frozenset({"capped"}), others=20))) == {"page.bounds"}


@pytest.mark.parametrize("defect", ["past 404", "low taken", "total of the page", "no default", "unlisted"])
def test_an_undeclared_list_keeps_its_freedom(defect: str) -> None:
    """Of a list that only its parameters show to be paged no law is judged that it may not mean to keep."""
    beach = Beach(frozenset({defect}), told=document(page=None, filters=False))
    assert examined(PROMISE, beach).findings == ()


@pytest.mark.parametrize(("defect", "expected"), [("skips one", "page.missing"), ("overlaps", "page.duplicate")])
def test_an_undeclared_list_loses_nothing(defect: str, expected: str) -> None:
    """A list that only its parameters show to be paged may still lose nothing and show nothing twice."""
    beach = Beach(frozenset({defect}), others=6, told=document(page=None, filters=False))
    assert expected in faults(examined(PROMISE, beach))


def test_it_applies_where_it_is_declared_or_plain() -> None:
    """A list with the parameters of pages and a create has the promise; false switches it off."""

    def told(**promises: Any) -> bool:
        contract = Contract.read(document(**promises), "beach")
        return applies(contract, contract.by_id["pebbles.list"])

    assert [told(), told(page=None), told(page=False), told(style="link", page=None)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("style", "next_", "headers", "body", "expected"),
    [
        ("cursor", "/next", (), {"next": "c1"}, (("cursor", "c1"), ("limit", "2"))),
        ("cursor", "/next", (), {"next": "/pebbles?limit=2&cursor=c1"}, (("limit", "2"), ("cursor", "c1"))),
        ("cursor", "/next", (), {"next": None}, None),
        ("cursor", "header:Next", (("next", "http://a.test/p?cursor=c1"),), {}, (("cursor", "c1"),)),
        ("cursor", "header:Next", (), {}, None),
        ("link", "", (("Link", '<http://a.test/p?c=0>; rel="prev", </p?c=2>; rel="last next"'),), [], (("c", "2"),)),
        ("link", "", (("Link", '</p?c=0>; rel="prev"'),), [], None),
    ],
)
def test_where_the_next_page_is_told(
    style: str, next_: str, headers: tuple[tuple[str, str], ...], body: Any, expected: Any
) -> None:
    """A cursor is a value or an address, in a member or a header; a link is the one whose relation is next."""
    told = {"style": style, "members": {"items": "", "next": next_}}
    contract = Contract.read(document("cursor", page=told), "beach")
    found = paging(contract, contract.by_id["pebbles.list"])
    page = Exchange("x1", Request("GET", "/pebbles"), Response(200, headers, json.dumps(body).encode()), 0, 0, 0)
    assert found.query(1, 2, 2, page) == expected


def _told_nowhere(**shown: Any) -> dict[str, Any]:
    """The document of a list by cursors of which only the parameter is declared; `shown` is beside its items."""
    told = document("cursor", page={"style": "cursor", "parameters": {"cursor": "cursor", "limit": "limit"}})
    answer = told["paths"]["/pebbles"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    answer["properties"].update(shown)
    return told


@settings(deadline=None, max_examples=30)
@given(
    others=st.integers(0, 30),
    promise=st.sampled_from([PROMISE, FILTER, RESOURCE]),
    seed=st.integers(1, 99),
    parameter_only=st.booleans(),
)
def test_a_cursor_that_nobody_tells(others: int, promise: Promise, seed: int, *, parameter_only: bool) -> None:
    """Where it is not known which member is the next cursor, what is on no page that was seen is not missing."""
    told = _told_nowhere()
    if parameter_only:
        del told["paths"]["/pebbles"]["get"]["x-promises"]["page"]
    verdict = examined(promise, Beach(style="cursor", others=others, told=told), seed=seed)
    assert verdict.findings == ()


def test_a_cursor_that_nobody_tells_is_asked_for() -> None:
    """The reason says what would make the list's end known, and only an empty page ends it."""
    told = _told_nowhere()
    verdict = examined(PROMISE, Beach(style="cursor", others=9, told=told))
    assert "write members.next under x-promises.page" in verdict.reason
    shown = paging(contract := Contract.read(told, "beach"), contract.by_id["pebbles.list"])
    for items, body, expected in (
        ([], {}, True),
        ([1], {}, False),
        ([1], {"total": 2}, False),
        ([1], {"total": 1}, True),
    ):
        answer = Response(200, (), json.dumps({"items": items, **body}).encode())
        page = Exchange("x1", Request("GET", "/pebbles", query=(("limit", "3"),)), answer, 0, 0, 0)
        assert ended(shown, (page,)) is expected, (items, body)


@given(
    st.dictionaries(
        st.sampled_from(["next_cursor", "nextToken", "next", "nextPageToken", "previous", "total", "self"]),
        st.sampled_from([TEXT, {"type": ["string", "null"]}, {"anyOf": [TEXT, {"type": "null"}]}, {"type": "boolean"}]),
    ),
    st.sampled_from(["", "meta"]),
)
def test_a_next_cursor_by_its_name_in_the_schema(shown: dict[str, Any], under: str) -> None:
    """A text by a usual name of the next cursor is taken for it, beside the items or in an object of the answer."""
    told = _told_nowhere(**({under: {"type": "object", "properties": shown}} if under else shown))
    found = paging(contract := Contract.read(told, "beach"), contract.by_id["pebbles.list"]).next
    texts = [name for name, schema in shown.items() if name.startswith("next") and schema != {"type": "boolean"}]
    assert found.rpartition("/")[2] in (texts or [""])
    assert found.startswith(f"/{under}" if texts else "")


@pytest.mark.parametrize(("defect", "expected"), [("", set()), ("skips one", {"page.missing"})])
def test_a_list_by_a_cursor_that_the_schema_names(defect: str, expected: set[str]) -> None:
    """A list whose next cursor only its schema names is walked whole, and what it loses is found."""
    told = _told_nowhere(next={"type": ["string", "null"]})
    verdict = examined(PROMISE, Beach(frozenset({defect}), "cursor", 9, told=told))
    assert (faults(verdict), verdict.reason) == (expected, "")


def test_a_body_that_wraps_the_thing() -> None:
    """Where the create's body holds the thing in a member, as its id does, an item's members are sent there."""
    told = document()
    told["x-promises"] = {"resource": {"pebble": {"create": "pebbles.create", "read": "pebbles.get", "id": "/data/id"}}}
    create = told["paths"]["/pebbles"]["post"]["requestBody"]["content"]["application/json"]
    create["schema"] = {"type": "object", "properties": {"data": create["schema"]}}
    told["paths"]["/pebbles"]["get"]["x-promises"]["page"]["resource"] = "pebble"
    contract = Contract.read(told, "beach")
    operation = contract.by_id["pebbles.list"]
    assert [sent_at(contract, operation, place) for place in ("/weight", "/at")] == ["/data/weight", ""]


@pytest.mark.parametrize(
    "wrong", [{}, {"style": "pages"}, {"style": "page", "size": 3}, {"style": "page", "bounds": {"maximum": 3}}]
)
def test_a_wrong_annotation_is_refused(wrong: dict[str, Any]) -> None:
    """An annotation without a style, or with a member that is not known, is no annotation."""
    assert not jsonschema_rs.Draft202012Validator(dict(ANNOTATION)).is_valid(wrong)


@pytest.mark.parametrize(
    ("defect", "expected"), [("", set()), ("overlaps", {"page.duplicate"}), ("total of the page", {"page.total"})]
)
def test_a_list_in_which_nothing_can_be_planted(defect: str, expected: set[str]) -> None:
    """Where nothing says what makes the items, the list is walked as it is."""
    told = document(filters=False)
    del told["paths"]["/pebbles"]["post"]
    assert expected <= faults(examined(PROMISE, Beach(frozenset({defect}), others=9, told=told)))
    verdict = examined(PROMISE, Beach(others=9, told=told))
    assert (verdict.status, verdict.reason) == (Status.PASS, "")
